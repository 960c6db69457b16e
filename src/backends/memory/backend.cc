// The row of the registry, and how a memory store opens.
#include "backends/memory/backend.h"

#include "backends/memory/memory_engine.h"
#include "base/check.h"

namespace strata::backends::memory {

void add_to(Registry& registry) {
  const Result<> added = registry.add(
      BackendSpec{.name = "memory",
                  .help = "Ordered, in memory; the reference for tests. Nothing survives a crash.",
                  .options = {},
                  .open = &open});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> open(const OptionValues&, const Environment& environment) {
  return open_with({}, environment);
}

}  // namespace strata::backends::memory
