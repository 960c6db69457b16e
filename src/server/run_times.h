// RunTimes: how long the runs of one command took, in powers of two of a microsecond.
// Threads: any; relaxed, for people.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace strata::server {

class RunTimes {
 public:
  void add(std::uint64_t took_us) const {
    // Steps end at 1, 2, 4, ... 2^(kSteps-1) microseconds; what took longer is in the last.
    const auto step = took_us <= 1 ? 0u : static_cast<unsigned>(std::bit_width(took_us - 1));
    counts_[step < kSteps ? step : kSteps - 1].fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t calls() const {
    std::uint64_t sum = 0;
    for (const auto& count : counts_) sum += count.load(std::memory_order_relaxed);
    return sum;
  }
  /// Upper bounds in us with the number of calls up to them, for the steps that have calls.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> cumulative() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> steps;
    std::uint64_t sum = 0;
    for (unsigned step = 0; step < kSteps; ++step) {
      const std::uint64_t count = counts_[step].load(std::memory_order_relaxed);
      sum += count;
      if (count != 0) steps.emplace_back(std::uint64_t{1} << step, sum);
    }
    return steps;
  }
  /// The bound in us that `percent` of the calls did not exceed; 0 without calls.
  std::uint64_t percentile_us(double percent) const {
    const auto steps = cumulative();
    if (steps.empty()) return 0;
    const double wanted = static_cast<double>(steps.back().second) * percent / 100;
    for (const auto& [bound_us, count] : steps) {
      if (static_cast<double>(count) >= wanted) return bound_us;
    }
    return steps.back().first;
  }
  void reset() const {
    for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
  }

 private:
  static constexpr unsigned kSteps = 31;
  mutable std::array<std::atomic<std::uint64_t>, kSteps> counts_{};
};

}  // namespace strata::server
