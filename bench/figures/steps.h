// Steps: which records a thread will touch, in an array made before the clock starts, so that no
// figure holds the cost of choosing. A thread that comes to the end begins again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "key_chooser.h"

namespace strata::bench {

inline constexpr double kZipf = 0.99;

/// One touch: of which record, and, where half of all touches write, whether this one does.
struct Step {
  std::uint32_t number : 31;
  std::uint32_t write : 1;
};

/// The most records that a Step can name.
inline constexpr std::uint64_t kRecordsMax = (std::uint64_t{1} << 31) - 1;

class Steps {
 public:
  /// Two touches a record, and no fewer than 2^16 nor more than 2^24.
  Steps(std::uint64_t records, KeyChooser chooser, std::uint64_t seed);

  std::span<const Step> all() const noexcept { return steps_; }

 private:
  std::vector<Step> steps_;
};

/// The arrays of all threads, for both ways of choosing.
class StepSets {
 public:
  StepSets(std::uint64_t records, unsigned threads);

  const std::vector<Steps>& of(bool zipf) const noexcept { return zipf ? zipf_ : uniform_; }

 private:
  std::vector<Steps> uniform_;
  std::vector<Steps> zipf_;
};

/// Goes round one array.
class StepCursor {
 public:
  explicit StepCursor(std::span<const Step> steps) : steps_(steps) {}

  Step next() {
    if (at_ == steps_.size()) at_ = 0;
    return steps_[at_++];
  }
  /// At most all of them.
  std::span<const Step> next(std::size_t count) {
    if (at_ + count > steps_.size()) at_ = 0;
    at_ += count;
    return steps_.subspan(at_ - count, count);
  }

 private:
  std::span<const Step> steps_;
  std::size_t at_ = 0;
};

}  // namespace strata::bench
