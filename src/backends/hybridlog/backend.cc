// The row of the registry, its options, and what they amount to on this machine.
#include "backends/hybridlog/backend.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "backends/hybridlog/hybridlog_engine.h"
#include "base/check.h"

namespace strata::backends::hybridlog {

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kMemoryMin = 16 * kMiB;

const std::array<OptionSpec, 4> kOptions = {{
    {.name = "ordered",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "Keeps keys in order, for scans of ranges and prefixes; costs about 25 bytes of "
             "memory a key and half of the speed of inserts. Without it there are cursor scans."},
    {.name = "io_uring",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "Reads cold records through io_uring where the system allows it; else by threads."},
    {.name = "upkeep_thread",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "A thread of the store's own that flushes, compacts and expires. Without it, whoever "
             "owns the store calls maintain() often."},
    {.name = "space_amplification_percent",
     .kind = OptionKind::integer,
     .fallback = "160",
     .min = 110,
     .max = 1000,
     .help = "How much room the log may take, in percent of its live records, before compaction "
             "begins. Less costs more copying."},
}};

/// The limit of this process's control group, or no limit.
std::uint64_t group_limit() {
  std::uint64_t limit = UINT64_MAX;
  for (const char* const path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    std::uint64_t bytes = 0;
    if (file >> bytes) limit = std::min(limit, bytes);
  }
  return limit;
}

/// A quarter of the machine's memory, or 60 % of what the control group allows.
std::uint64_t default_memory() {
  const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  return std::max(kMemoryMin, std::min(pages * page / 4, group_limit() / 10 * 6));
}

}  // namespace

void add_to(Registry& registry) {
  const Result<> added = registry.add(BackendSpec{
      .name = "hybridlog",
      .help = "Ordered; memory speed for what fits, the device's for the rest; snapshots.",
      .options = kOptions,
      .open = &open});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> open(const OptionValues& values, const Environment& environment) {
  Options options;
  options.ordered = values.flag("ordered");
  options.io_uring = values.flag("io_uring");
  options.upkeep_thread = values.flag("upkeep_thread");
  options.space_amplification =
      static_cast<double>(values.number("space_amplification_percent")) / 100.0;
  options.memory_bytes = environment.memory_bytes == 0
                             ? default_memory()
                             : std::max(environment.memory_bytes, kMemoryMin);
  const bool large = options.memory_bytes >= 512 * kMiB;
  options.frame_bits = large ? 21 : 19;
  options.segment_bits = large ? 25 : 22;
  return HybridlogEngine::open(options, environment);
}

}  // namespace strata::backends::hybridlog
