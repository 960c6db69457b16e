// The row of the registry, its options, and what they amount to.
#include "backends/rocksdb/backend.h"

#include <array>

#include "backends/rocksdb/rocksdb_engine.h"
#include "base/check.h"

namespace strata::backends::rocksdb {

namespace {

constexpr std::array<std::string_view, 3> kCompressions = {"none", "lz4", "zstd"};

const std::array<OptionSpec, 6> kOptions = {{
    {
        .name = "cache",
        .kind = OptionKind::bytes,
        .fallback = "0",
        .max = std::int64_t{1} << 44,
        .help = "Block cache; 0: half of the store's memory, or 64MiB where none is set.",
    },
    {.name = "write_buffer",
     .kind = OptionKind::bytes,
     .fallback = "0",
     .max = std::int64_t{8} << 30,
     .help = "Size of a memtable, of which there may be two; 0: an eighth of the store's memory, "
             "or 32MiB where none is set. Larger ones make fewer, larger files."},
    {.name = "compression",
     .kind = OptionKind::choice,
     .fallback = "lz4",
     .choices = kCompressions,
     .help = "Of blocks on disk. zstd is smaller and slower than lz4."},
    {.name = "background_jobs",
     .kind = OptionKind::integer,
     .fallback = "2",
     .min = 1,
     .max = 64,
     .help = "Threads that flush and compact. More keep up with heavier writing."},
    {.name = "open_files",
     .kind = OptionKind::integer,
     .fallback = "-1",
     .min = -1,
     .max = 1 << 20,
     .help = "Files kept open; -1: all. Fewer cost reads that open a file first."},
    {.name = "read_threads",
     .kind = OptionKind::integer,
     .fallback = "4",
     .min = 1,
     .max = 256,
     .help = "Threads, at most, for asynchronous reads that must wait for the device. None is "
             "started before the first such read."},
}};

std::uint64_t bytes_or(const OptionValues& options, std::string_view name, std::uint64_t chosen) {
  const auto set = static_cast<std::uint64_t>(options.number(name));
  return set != 0 ? set : chosen;
}

}  // namespace

void add_to(Registry& registry) {
  const Result<> added = registry.add(BackendSpec{
      .name = "rocksdb",
      .help = "Ordered and durable, for data beyond memory; a log-structured merge tree.",
      .options = kOptions,
      .open = &open});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment) {
  if (environment.folder.empty()) {
    return Error(Code::invalid_argument, "rocksdb: a store needs a folder");
  }
  const std::uint64_t memory = environment.memory_bytes;
  Settings settings;
  settings.cache_bytes = bytes_or(options, "cache", memory != 0 ? memory / 2 : 64 * kMiB);
  settings.write_buffer_bytes =
      bytes_or(options, "write_buffer", memory != 0 ? memory / 8 : 32 * kMiB);
  settings.compression = options.text("compression");
  settings.background_jobs = static_cast<int>(options.number("background_jobs"));
  settings.open_files = static_cast<int>(options.number("open_files"));
  settings.read_threads = static_cast<std::size_t>(options.number("read_threads"));
  settings.read_only = environment.read_only;
  settings.create = environment.create;
  STRATA_LET(std::unique_ptr<RocksdbEngine> engine, RocksdbEngine::open(settings, environment));
  return engine;
}

}  // namespace strata::backends::rocksdb
