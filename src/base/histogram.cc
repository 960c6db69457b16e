// Reading a histogram.
#include "base/histogram.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace strata::base {

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  add_totals(other.sum_, other.max_);
}

double Histogram::mean() const noexcept {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t Histogram::quantile(double q) const noexcept {
  if (count_ == 0) return 0;
  const double share = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_);
  const auto wanted =
      std::clamp(static_cast<std::uint64_t>(std::ceil(share)), std::uint64_t{1}, count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen < wanted) continue;
    if (bucket == kBuckets - 1) return max_;
    const std::uint64_t middle = (bucket_first(bucket) + bucket_last(bucket)) / 2;
    return std::min(middle, max_);
  }
  return max_;
}

std::uint64_t Histogram::count_up_to(std::uint64_t value) const noexcept {
  std::uint64_t count = 0;
  // The last bucket has no end.
  for (std::size_t bucket = 0; bucket + 1 < kBuckets && bucket_last(bucket) <= value; ++bucket) {
    count += counts_[bucket];
  }
  return count;
}

void Histogram::add_bucket(std::size_t bucket, std::uint64_t count) noexcept {
  STRATA_DCHECK(bucket < kBuckets);
  counts_[bucket] += count;
  count_ += count;
}

void Histogram::add_totals(std::uint64_t sum, std::uint64_t max) noexcept {
  sum_ += sum;
  max_ = std::max(max_, max);
}

}  // namespace strata::base
