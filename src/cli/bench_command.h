// bench: how fast a store's engine is, here and now: reads and writes of random keys in a keyspace
// of its own, which is emptied afterwards.
#pragma once

#include <cstdint>

#include "cli/context.h"

namespace strata::cli {

struct BenchOptions {
  std::uint64_t operations = 200'000;
  std::uint64_t keys = 100'000;
  std::uint32_t value_bytes = 100;
  std::uint32_t reads_percent = 50;
  std::uint32_t threads = 1;
  std::uint64_t seed = 1;
};

Result<ExitCode> run_bench(Context& context, const BenchOptions& options);

}  // namespace strata::cli
