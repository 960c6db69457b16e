// Settings: what the command line of engine_figures_bench said; and its cases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace strata::bench {

struct Settings {
  std::vector<std::string> cases;
  std::uint64_t records = 1'000'000;  ///< of the cases in memory; the cold ones take their share
  std::int64_t run_ms = 300;
  unsigned rounds = 3;
  std::vector<std::string> backends;  ///< NAME, NAME:OPTION=VALUE, "unordered_map"
  std::string folder;                 ///< on the disk that the cold case measures
  std::string memory_folder;          ///< in memory: for peers that cannot do without files
  std::uint64_t memory_bytes = 0;     ///< each engine's budget; 0: what the case says
  std::int64_t after_updates_s = 0;   ///< of updates, after which the memory case measures again
  std::string text;                   ///< a file that values of a life are cut from; may be empty
  std::uint64_t calibration_bytes = std::uint64_t{2} << 30;
};

void run_calibration(const Settings& settings);
void run_memory(const Settings& settings);
void run_cold(const Settings& settings);
void run_scans(const Settings& settings);
void run_snapshots(const Settings& settings);
void run_latency(const Settings& settings);
void run_life(const Settings& settings);

}  // namespace strata::bench
