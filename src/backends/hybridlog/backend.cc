// The row of the registry, its options, and what they amount to on this machine.
#include "backends/hybridlog/backend.h"

#include <algorithm>
#include <array>

#include "backends/hybridlog/hybridlog_engine.h"
#include "backends/hybridlog/verify.h"
#include "base/check.h"
#include "io/machine_memory.h"

namespace strata::backends::hybridlog {

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kMemoryMin = 16 * kMiB;

const std::array<OptionSpec, 4> kOptions = {{
    {.name = "ordered",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "Keeps keys in order, for scans of ranges and prefixes; costs about 25 bytes of "
             "memory a key and half of the speed of inserts. Without it there are cursor scans, "
             "and counts of a store that is larger than memory may be off by some keys in 10,000."},
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

}  // namespace

void add_to(Registry& registry) {
  const Result<> added = registry.add(BackendSpec{
      .name = "hybridlog",
      .help = "Ordered; memory speed for what fits, the device's for the rest; snapshots.",
      .options = kOptions,
      .open = &open,
      .verify = [](const Environment& environment, Verification& to, VerifyProgress progress) {
        return verify(environment.files, environment.folder + "/db", to, progress);
      }});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> open(const OptionValues& values, const Environment& environment) {
  Options options;
  options.ordered = values.flag("ordered");
  options.io_uring = values.flag("io_uring");
  options.upkeep_thread = values.flag("upkeep_thread");
  options.space_amplification =
      static_cast<double>(values.number("space_amplification_percent")) / 100.0;
  options.memory_bytes =
      std::max(kMemoryMin, environment.memory_bytes == 0 ? io::default_memory_bytes()
                                                         : environment.memory_bytes);
  const bool large = options.memory_bytes >= 512 * kMiB;
  options.frame_bits = large ? 21 : 19;
  options.segment_bits = large ? 25 : 22;
  return HybridlogEngine::open(options, environment);
}

}  // namespace strata::backends::hybridlog
