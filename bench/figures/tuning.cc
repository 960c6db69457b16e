#include "figures/tuning.h"

#include <fmt/format.h>

#include "base/parse.h"
#include "figures/subject.h"

namespace strata::bench {

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

// In memory all of its blocks are in its own cache, uncompressed; on disk it gets the same number
// of bytes as the others, and its data would not compress.
Tuning of_rocksdb(const Shape& shape) {
  Tuning tuning{.options = {{"compression", "none"}}, .load_batch = 1, .compact_after_load = true};
  if (shape.on_disk) {
    tuning.how =
        "no compression, half of the memory for blocks and a quarter for memtables, "
        "compacted after the load; the system's page cache comes on top";
    return tuning;
  }
  const std::uint64_t cache = 2 * shape.data_bytes() + 64 * kMiB;
  tuning.options.emplace_back("cache", std::to_string(cache));
  tuning.options.emplace_back("write_buffer", std::to_string(128 * kMiB));
  tuning.how = fmt::format(
      "files in memory, no compression, a block cache of {}, memtables of 128 "
      "MiB, compacted after the load",
      base::human_size(cache));
  return tuning;
}

// The backend never runs it without a sync for each transaction.
Tuning of_lmdb(const Shape& shape) {
  Tuning tuning{.load_batch = 1000};
  tuning.how =
      shape.on_disk
          ? "loaded by batches of 1,000; it has no cache of its own, but all of the "
            "system's page cache"
          : "its file in memory, so that its sync costs nothing, loaded by batches of 1,000";
  return tuning;
}

}  // namespace

Tuning tuning_of(std::string_view backend, const Shape& shape) {
  if (backend == "rocksdb") return of_rocksdb(shape);
  if (backend == "lmdb") return of_lmdb(shape);
  return {};
}

}  // namespace strata::bench
