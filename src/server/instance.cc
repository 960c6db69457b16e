#include "server/instance.h"

#include "base/hex.h"
#include "base/random.h"
#include "strata/capabilities.h"

namespace strata::server {

Instance::Instance(Engine& engine, base::Clock& clock, std::unique_ptr<Settings> settings,
                   std::unique_ptr<Databases> databases, unsigned loops)
    : engine(engine),
      clock(clock),
      settings(std::move(settings)),
      databases(std::move(databases)),
      atomic_batches(engine.as<AtomicBatch>() != nullptr),
      gate(loops),
      monitors(clients),
      random_key(engine, static_cast<std::uint64_t>(clock.monotonic_ns())),
      loops(loops),
      started_ms(clock.wall_ms()) {
  base::Random random(static_cast<std::uint64_t>(started_ms) ^
                      static_cast<std::uint64_t>(clock.monotonic_ns()));
  run_id = base::hex_encode(random.bytes(20));
}

Result<std::unique_ptr<Instance>> Instance::open(Engine& engine, base::Clock& clock,
                                                 std::unique_ptr<Settings> settings,
                                                 unsigned loops) {
  constexpr int kDatabases = 16;
  STRATA_LET(std::unique_ptr<Databases> databases, Databases::open(engine, kDatabases));
  std::unique_ptr<Instance> instance(
      new Instance(engine, clock, std::move(settings), std::move(databases), loops));
  STRATA_TRY(add_builtin_commands(instance->commands));
  return instance;
}

}  // namespace strata::server
