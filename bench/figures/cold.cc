// The figures of data eight times the memory: what one thread reads and writes, beside what the
// disk itself can do. It keeps eight mgets of 32 under way where the engine reads asynchronously,
// and makes one of 128 after the other where it does not.
//
//   (a)  records of 8 + 100 bytes: log and caches an eighth of the data, the index beside it
//   (b)  records of 8 + 1,000 bytes, a fifth as many: everything inside the eighth
#include <fmt/format.h>

#include <array>
#include <fstream>

#include "base/parse.h"
#include "figures/disk_limit.h"
#include "figures/flights.h"
#include "figures/race.h"
#include "figures/subject.h"
#include "scratch_folder.h"

namespace strata::bench {

namespace {

constexpr std::array<Workload, 2> kWorkloads = {
    {{"reads", Operation::mget, 128, true}, {"half puts", Operation::mixed, 128, true}}};

/// What a hash index costs, of FASTER as of ours: 64 bytes for seven entries, not all full.
constexpr std::uint64_t kIndexBytesPerKey = 15;

/// The least limit of a cgroup that this process is in; what the page cache of peers is bounded by.
std::string memory_limit() {
  std::uint64_t least = ~std::uint64_t{0};
  const auto look = [&](const std::string& path) {
    std::ifstream file(path);
    std::string text;
    if (!(file >> text)) return;
    if (const Result<std::uint64_t> bytes = base::parse_uint64(text)) {
      least = std::min(least, *bytes);
    }
  };
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "4:memory:/a/b", "0::/a/b"
    const std::string path = line.substr(line.rfind(':') + 1);
    look("/sys/fs/cgroup/memory" + path + "/memory.limit_in_bytes");
    look("/sys/fs/cgroup" + path + "/memory.max");
  }
  if (least >= std::uint64_t{1} << 50) {
    return "no cgroup bounds this process: the page cache gives peers all memory there is, so "
           "their "
           "rows are too good";
  }
  return fmt::format("the cgroup of this process may hold {}, with the page cache of peers",
                     base::human_size(least));
}

void measure(const Settings& settings, const Shape& shape, std::string_view title) {
  fmt::print("## Cold, {}: {} keys of 8 bytes, values of {}; data {}, memory {}\n\n", title,
             shape.records, shape.value_bytes, base::human_size(shape.data_bytes()),
             base::human_size(shape.memory_bytes));
  fmt::print("- {}\n", memory_limit());
  const auto subjects = make_subjects(settings, shape, Kinds::engines);
  print_setup(subjects);

  const StepSets steps(shape.records, 1);
  const ScratchFolder folder(settings.folder);
  DiskLimit disk(folder.path(), shape.data_bytes());
  const std::string disk_row = fmt::format("disk: direct 4 KiB, depth {}", DiskLimit::kDepth);
  Table table("k records/s");
  // One at a time, since each may fill the memory; the disk is measured anew beside each.
  for (const std::unique_ptr<Subject>& subject : subjects) {
    subject->renew();
    table.add(subject->name(), "load", subject->load() / 1e3);
    for (unsigned round = 0; round < settings.rounds; ++round) {
      table.add(disk_row, "reads uniform", disk.reads_per_second(settings.run_ms) / 1e3);
      for (const Workload& workload : kWorkloads) {
        for (const bool zipf : {false, true}) {
          const std::span<const Step> own = steps.of(zipf)[0].all();
          const Raced raced = race(subject->engine(), 1, settings.run_ms,
                                   [&](unsigned, const std::atomic<bool>& stop) {
                                     return subject->run(workload, own, stop);
                                   });
          table.add(subject->name(), fmt::format("{} {}", workload.name, zipf ? "zipf" : "uniform"),
                    raced.per_second / 1e3);
        }
      }
    }
    subject->close();
  }
  fmt::print("The disk was read by {}. AsyncReads: {} mgets of {} under way; else mgets of {}.\n\n",
             disk.way(), Flights::kFlights, Flights::kReads, kWorkloads[0].group);
  table.print();
}

}  // namespace

void run_cold(const Settings& settings) {
  Shape small{.records = settings.records, .on_disk = true, .load_batch = 1000};
  small.memory_bytes = small.data_bytes() / 8 + small.records * kIndexBytesPerKey;
  if (settings.memory_bytes != 0) small.memory_bytes = settings.memory_bytes;
  measure(settings, small, "(a) the index beside the eighth");

  Shape large{.records = std::max<std::uint64_t>(settings.records / 5, 2),
              .value_bytes = 1000,
              .on_disk = true,
              .load_batch = 1000};
  large.memory_bytes = large.data_bytes() / 8;
  if (settings.memory_bytes != 0) large.memory_bytes = settings.memory_bytes;
  measure(settings, large, "(b) everything inside the eighth");
}

}  // namespace strata::bench
