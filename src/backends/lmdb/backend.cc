// The row of the registry, its options, and what they amount to.
#include "backends/lmdb/backend.h"

#include <array>

#include "backends/lmdb/lmdb_engine.h"
#include "base/check.h"

namespace strata::backends::lmdb {

namespace {

const std::array<OptionSpec, 2> kOptions = {{
    {.name = "map",
     .kind = OptionKind::bytes,
     .fallback = "64GiB",
     .min = std::int64_t{1} << 20,
     .max = std::int64_t{1} << 46,
     .help = "Address space for the file, to begin with; it is no memory and no disk, and doubles "
             "when it is full, which open snapshots keep it from."},
    {.name = "readers",
     .kind = OptionKind::integer,
     .fallback = "512",
     .min = 2,
     .max = 65536,
     .help = "Reads and snapshots that may be under way at once, of all processes together."},
}};

}  // namespace

void add_to(Registry& registry) {
  const Result<> added = registry.add(BackendSpec{
      .name = "lmdb",
      .help = "Ordered and durable, read through a memory map; for data that mostly fits memory "
              "and is read more than written.",
      .options = kOptions,
      .open = &open});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment) {
  if (environment.folder.empty()) {
    return Error(Code::invalid_argument, "lmdb: a store needs a folder");
  }
  Settings settings;
  settings.map_bytes = static_cast<std::uint64_t>(options.number("map"));
  settings.readers = static_cast<unsigned>(options.number("readers"));
  settings.read_only = environment.read_only;
  settings.create = environment.create;
  STRATA_LET(std::unique_ptr<LmdbEngine> engine, LmdbEngine::open(settings, environment));
  return engine;
}

}  // namespace strata::backends::lmdb
