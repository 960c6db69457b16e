// Buckets without gaps, and quantiles within their stated error.
#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace strata::base {
namespace {

TEST(Histogram, EveryValueLiesInItsBucketAndBucketsLeaveNoGap) {
  for (std::size_t bucket = 0; bucket + 1 < Histogram::kBuckets; ++bucket) {
    const std::uint64_t first = Histogram::bucket_first(bucket);
    const std::uint64_t last = Histogram::bucket_last(bucket);
    ASSERT_EQ(Histogram::bucket_of(first), bucket);
    ASSERT_EQ(Histogram::bucket_of(last), bucket);
    ASSERT_EQ(Histogram::bucket_of(last + 1), bucket + 1);
    ASSERT_LE(static_cast<double>(last - first), static_cast<double>(first) / 32);
  }
  EXPECT_EQ(Histogram::bucket_of(~std::uint64_t{0}), Histogram::kBuckets - 1);
}

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.99), 0U);
  EXPECT_EQ(histogram.mean(), 0.0);
}

TEST(Histogram, QuantilesAreWithinTheirError) {
  Random random(1);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  std::uint64_t sum = 0;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random.next() >> (24 + random.uniform(39)));
    histogram.record(values.back());
    sum += values.back();
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto index = static_cast<std::size_t>(q * static_cast<double>(values.size())) - 1;
    const auto exact = static_cast<double>(values[index]);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(q)), exact, exact / 64 + 0.5) << q;
  }
  EXPECT_EQ(histogram.count(), values.size());
  EXPECT_EQ(histogram.sum(), sum);
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(Histogram, AQuantileNeverExceedsTheMaximum) {
  Histogram histogram;
  histogram.record(1'000'000);
  EXPECT_LE(histogram.quantile(1.0), 1'000'000U);
  histogram.record(std::uint64_t{1} << 50);
  EXPECT_EQ(histogram.quantile(1.0), std::uint64_t{1} << 50);
}

TEST(Histogram, MergingIsAsIfAllWasRecordedInOne) {
  Random random(2);
  Histogram all, left, right;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = random.uniform(1'000'000);
    all.record(value);
    (i % 3 == 0 ? left : right).record(value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), all.count());
  EXPECT_EQ(left.sum(), all.sum());
  EXPECT_EQ(left.max(), all.max());
  for (double q = 0; q <= 1.0; q += 0.05) EXPECT_EQ(left.quantile(q), all.quantile(q));
}

TEST(Histogram, CountsCumulatively) {
  Histogram histogram;
  for (const unsigned value : {1U, 2U, 3U, 50U, 5000000U}) histogram.record(value);
  EXPECT_EQ(histogram.count_up_to(0), 0U);
  EXPECT_EQ(histogram.count_up_to(2), 2U);
  EXPECT_EQ(histogram.count_up_to(63), 4U);
  EXPECT_EQ(histogram.count_up_to(6'000'000), 5U);
}

}  // namespace
}  // namespace strata::base
