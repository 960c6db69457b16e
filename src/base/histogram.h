// Histogram: how often which values were seen, in buckets that grow with the value.
//
// Values below 64 have a bucket each; above, every power of two has 32, so that a quantile is off
// by at most 1/64 (1.6 %) of itself. Values from 2^40 on (18 minutes in nanoseconds) share the last
// bucket; sum and max are exact for all.
//
// Threads: one at a time. For many threads see counters.h, whose recorders give one of these.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace strata::base {

class Histogram {
 public:
  static constexpr unsigned kSubBits = 5;
  static constexpr std::uint64_t kValueMax = (std::uint64_t{1} << 40) - 1;

  /// Where `value` is counted.
  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < (std::uint64_t{2} << kSubBits)) return static_cast<std::size_t>(value);
    if (value > kValueMax) value = kValueMax;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - (kSubBits + 1);
    return (static_cast<std::size_t>(shift) << kSubBits) + static_cast<std::size_t>(value >> shift);
  }
  /// The smallest and the largest value of a bucket.
  static constexpr std::uint64_t bucket_first(std::size_t bucket) noexcept {
    if (bucket < (std::size_t{2} << kSubBits)) return bucket;
    const std::size_t shift = (bucket >> kSubBits) - 1;
    return static_cast<std::uint64_t>(bucket - (shift << kSubBits)) << shift;
  }
  static constexpr std::uint64_t bucket_last(std::size_t bucket) noexcept {
    return bucket_first(bucket + 1) - 1;
  }
  static constexpr std::size_t kBuckets = (std::size_t{40 - kSubBits} << kSubBits) + 32;

  /// Some 2 ns.
  void record(std::uint64_t value) noexcept {
    ++counts_[bucket_of(value)];
    ++count_;
    sum_ += value;
    if (value > max_) max_ = value;
  }
  void merge(const Histogram& other) noexcept;
  void clear() noexcept { *this = Histogram(); }

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t sum() const noexcept { return sum_; }  ///< wraps at 2^64
  std::uint64_t max() const noexcept { return max_; }  ///< 0 when nothing was recorded
  double mean() const noexcept;
  /// The value that `q` (0 to 1) of all recorded ones do not exceed, to within 1.6 %; never more
  /// than max(). 0 when nothing was recorded.
  std::uint64_t quantile(double q) const noexcept;
  /// How many values lie in buckets that end at or below `value`: for cumulative exports.
  std::uint64_t count_up_to(std::uint64_t value) const noexcept;

  /// For whoever counted in buckets of its own: adds `count` to a bucket, and to sum and max.
  void add_bucket(std::size_t bucket, std::uint64_t count) noexcept;
  void add_totals(std::uint64_t sum, std::uint64_t max) noexcept;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
  std::array<std::uint64_t, kBuckets> counts_{};
};

static_assert(Histogram::bucket_of(Histogram::kValueMax) == Histogram::kBuckets - 1);

}  // namespace strata::base
