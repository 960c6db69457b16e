// The row of the registry, and how its options reach the engine.
#include "backends/file/backend.h"

#include <array>

#include "backends/file/file_engine.h"
#include "base/check.h"

namespace strata::backends::file {

namespace {

constexpr std::array<OptionSpec, 1> kOptions = {
    OptionSpec{.name = "read_threads",
               .kind = OptionKind::integer,
               .fallback = "4",
               .min = 1,
               .max = 64,
               .help = "Threads that read for clients of a server; more of them keep a device "
                       "with a deep queue busy."}};

}  // namespace

void add_to(Registry& registry) {
  const Result<> added = registry.add(
      BackendSpec{.name = "file",
                  .help = "One file a value with a JSON sidecar, to be looked at by hand. Neither "
                          "ordered nor with batches.",
                  .options = kOptions,
                  .open = &open});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment) {
  FileEngine::Options wanted{
      .root = environment.folder,
      .read_only = environment.read_only,
      .create = environment.create,
      .durability = environment.durability,
      .interval_ms = environment.interval_ms,
      .read_threads = static_cast<std::size_t>(options.number("read_threads"))};
  if (wanted.durability == Durability::store_default) wanted.durability = Durability::interval;
  return FileEngine::open(environment.files, environment.clock, std::move(wanted));
}

}  // namespace strata::backends::file
