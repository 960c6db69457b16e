// The row of the registry, and how a memory store opens.
#include "backends/memory/backend.h"

#include "backends/memory/memory_engine.h"
#include "base/check.h"

namespace strata::backends::memory {

namespace {

constexpr OptionSpec kOptions[] = {
    {.name = "feed_changes",
     .kind = OptionKind::integer,
     .fallback = "65536",
     .min = 1,
     .max = 1'000'000'000,
     .help = "How many changes the feed keeps; who reads it more rarely needs more."},
    {.name = "feed_bytes",
     .kind = OptionKind::bytes,
     .fallback = "64MiB",
     .min = 1,
     .help = "How many bytes of keys and values the feed keeps."},
};

}  // namespace

void add_to(Registry& registry) {
  const Result<> added = registry.add(
      BackendSpec{.name = "memory",
                  .help = "Ordered, in memory; the reference for tests. Nothing survives a crash.",
                  .options = kOptions,
                  .open = &open});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment) {
  MemoryOptions memory;
  memory.changes.changes_max = static_cast<std::uint64_t>(options.number("feed_changes"));
  memory.changes.bytes_max = static_cast<std::uint64_t>(options.number("feed_bytes"));
  return open_with(memory, environment);
}

}  // namespace strata::backends::memory
