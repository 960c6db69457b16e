// engine_figures_bench: the figures an engine is judged by, each case a set of Markdown tables with
// peers beside it. A cell is the median of the rounds, and half their distance in percent.
//
//   calibration  the machine's memory: random reads, one chain and 16
//   memory       gets, puts, read-modify-writes, batches; one thread and two; bytes a key
//   cold         data eight times the memory, beside what the disk itself can read
//   scans        of 100 records with values
//   snapshots    opening under full write load, and what writers lose while one lives
//   latency      of puts during compaction and checkpoint
//   life         load, rewrite, checkpoint, restart, restore: data ten times the memory, all read
//
// The defaults take some minutes. The full sizes:
//   --case calibration,memory --records 10000000 --run-ms 3000 --rounds 5 --after-updates 600
//   --case cold --records 20000000 --run-ms 20000        ((b) has a fifth: 4 million)
//   --case life --records 10000000 --memory 1GiB --text FILE --backends hybridlog:ordered=true
//   --case scans,snapshots,latency --records 10000000 --run-ms 5000 --rounds 5
// Peers of the cold case read through the system's page cache, so bound it by a cgroup of the size
// that the table names as memory and some 300 MB for the benchmark's own arrays:
//   systemd-run --scope -p MemoryMax=900M build/release/bench/engine_figures_bench --case cold ...
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>

#include "base/parse.h"
#include "figures/settings.h"
#include "figures/steps.h"
#include "must.h"
#include "report.h"

namespace strata::bench {
namespace {

struct CaseRow {
  std::string name;
  void (*run)(const Settings&);
};
const std::array<CaseRow, 7> kCases = {{{"calibration", run_calibration},
                                        {"memory", run_memory},
                                        {"cold", run_cold},
                                        {"scans", run_scans},
                                        {"snapshots", run_snapshots},
                                        {"latency", run_latency},
                                        {"life", run_life}}};

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const CaseRow& row : kCases) names.push_back(row.name);
  return names;
}

std::string memory_folder() {
  constexpr const char* kSharedMemory = "/dev/shm";
  return std::filesystem::is_directory(kSharedMemory) ? kSharedMemory : "";
}

int run_all(Settings settings) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was measured is shown whatever comes after
  if (settings.memory_folder.empty()) settings.memory_folder = settings.folder;
  print_machine();
  fmt::print("median of {} rounds of {} ms ± half their distance; durability none\n\n",
             settings.rounds, settings.run_ms);
  for (const CaseRow& row : kCases) {
    if (std::ranges::find(settings.cases, row.name) != settings.cases.end()) row.run(settings);
  }
  return 0;
}

}  // namespace
}  // namespace strata::bench

int main(int argc, char** argv) {
  using namespace strata;
  bench::Settings settings;
  settings.cases = bench::case_names();
  settings.backends = {"hybridlog", "unordered_map", "rocksdb", "lmdb"};
  settings.folder = std::filesystem::temp_directory_path().string();
  settings.memory_folder = bench::memory_folder();
  const auto size = [](std::uint64_t& bytes) {
    return [&bytes](const std::string& text) {
      const Result<std::uint64_t> parsed = base::parse_size(text);
      if (!parsed) throw CLI::ValidationError(parsed.error().to_string());
      bytes = *parsed;
    };
  };

  CLI::App app{"The figures of the engines, with peers beside them"};
  app.add_option("--case", settings.cases, "again, or with commas, for more; all unless given")
      ->delimiter(',')
      ->check(CLI::IsMember(bench::case_names()));
  app.add_option("--records", settings.records, "records; the cold case (b) takes a fifth")
      ->check(CLI::Range(std::uint64_t{1000}, bench::kRecordsMax));
  app.add_option("--run-ms", settings.run_ms, "of each figure in a round")
      ->check(CLI::Range(10, 3'600'000));
  app.add_option("--rounds", settings.rounds, "of which the median is shown")
      ->check(CLI::Range(1, 99));
  app.add_option("--backends", settings.backends,
                 "NAME, NAME:OPTION=VALUE or unordered_map, with commas")
      ->delimiter(',');
  app.add_option("--folder", settings.folder, "where stores on disk are made")
      ->check(CLI::ExistingDirectory);
  app.add_option("--memory-folder", settings.memory_folder,
                 "for the files of peers of the cases in memory")
      ->check(CLI::ExistingDirectory);
  app.add_option_function<std::string>("--memory", size(settings.memory_bytes),
                                       "the budget of each engine, \"4GiB\"");
  app.add_option_function<std::string>("--calibration-bytes", size(settings.calibration_bytes),
                                       "of memory to read from, a power of two");
  app.add_option("--text", settings.text, "a file that half of the values of a life are cut from")
      ->check(CLI::ExistingFile);
  app.add_option("--after-updates", settings.after_updates_s,
                 "seconds of updates after which the memory case measures again")
      ->check(CLI::Range(0, 86'400));
  CLI11_PARSE(app, argc, argv);
  return bench::run_all(std::move(settings));
}
