// What a ReadCache finds, what it takes, and that it keeps what is read often: its hit ratio is
// compared with that of one plain queue of the same bytes.
#include "backends/hybridlog/read_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <list>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/random.h"

namespace strata::backends::hybridlog {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

LogAddress address_of(std::uint64_t i) { return {64 + i * 128}; }

/// Differs by address and is recognised in every part.
Bytes record_of(LogAddress address, std::size_t bytes) {
  Bytes record(bytes, '\0');
  base::Random random(address.value);
  random.fill(record);
  return record;
}

TEST(ReadCache, GivesBackWhatWasPut) {
  MemoryBudget budget(64 * kMiB);
  ReadCache cache(budget, 4 * kMiB);
  Bytes found = "before";
  EXPECT_FALSE(cache.find(address_of(1), found));
  EXPECT_EQ(found, "before");
  std::uint64_t i = 0;
  for (const std::size_t bytes : {1u, 7u, 8u, 16u, 100u, 4096u, 16384u}) {
    const LogAddress address = address_of(++i);
    cache.put(address, record_of(address, bytes));
    ASSERT_TRUE(cache.find(address, found)) << bytes;
    EXPECT_EQ(found, record_of(address, bytes));
  }
  EXPECT_EQ(cache.hits(), i);
  EXPECT_EQ(cache.misses(), 1u);
  cache.check_invariants();
}

TEST(ReadCache, LeavesOutRecordsThatAreTooLarge) {
  MemoryBudget budget(64 * kMiB);
  ReadCache cache(budget, 4 * kMiB);
  cache.put(address_of(1), Bytes(ReadCache::kRecordBytesMax + 1, 'x'));
  cache.put(address_of(2), "");
  Bytes found;
  EXPECT_FALSE(cache.find(address_of(1), found));
  EXPECT_FALSE(cache.find(address_of(2), found));
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(ReadCache, TakesMemoryAsItFillsAndNoMoreThanItMay) {
  MemoryBudget budget(64 * kMiB);
  {
    ReadCache cache(budget, 2 * kMiB);
    EXPECT_EQ(budget.used(), 0u);
    cache.put(address_of(0), Bytes(100, 'x'));
    EXPECT_GT(cache.bytes(), 0u);
    EXPECT_LT(cache.bytes(), kMiB);
    for (std::uint64_t i = 1; i < 100'000; ++i) {
      cache.put(address_of(i), Bytes(100, 'x'));
      ASSERT_LE(cache.bytes(), 2 * kMiB);
      ASSERT_EQ(cache.bytes(), budget.used());
    }
    EXPECT_GT(cache.bytes(), 2 * kMiB * 3 / 4);
    cache.check_invariants();
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(ReadCache, IsRightWithRecordsSmallerThanItsTable) {
  MemoryBudget budget(64 * kMiB);
  ReadCache cache(budget, kMiB);
  Bytes found;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const LogAddress address = address_of(i);
    cache.put(address, record_of(address, 8));
    ASSERT_TRUE(cache.find(address, found));
    ASSERT_EQ(found, record_of(address, 8));
  }
  EXPECT_LE(cache.bytes(), kMiB);
  cache.check_invariants();
}

TEST(ReadCache, DoesWithoutMemoryThatTheBudgetRefuses) {
  MemoryBudget budget(8 * kMiB);
  budget.take(8 * kMiB);
  ReadCache cache(budget, 4 * kMiB);
  Bytes found;
  cache.put(address_of(1), "record");
  EXPECT_FALSE(cache.find(address_of(1), found));
  EXPECT_EQ(cache.bytes(), 0u);
  // It grows once there is room, leaves some to others, and goes on with what it has.
  budget.give(2 * kMiB);
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    cache.put(address_of(i), record_of(address_of(i), 100));
    ASSERT_LT(budget.used(), budget.limit());
  }
  EXPECT_GT(cache.bytes(), kMiB);
  ASSERT_TRUE(cache.find(address_of(99'999), found));
  EXPECT_EQ(found, record_of(address_of(99'999), 100));
  cache.check_invariants();
  budget.give(6 * kMiB);
}

TEST(ReadCache, ShrinksByWhatIsAskedAndFillsAgain) {
  MemoryBudget budget(64 * kMiB);
  ReadCache cache(budget, 8 * kMiB);
  for (std::uint64_t i = 0; i < 100'000; ++i) cache.put(address_of(i), Bytes(100, 'x'));
  const std::uint64_t before = cache.bytes();
  cache.shrink(3 * kMiB);
  EXPECT_LE(cache.bytes(), before - 3 * kMiB);
  EXPECT_GT(cache.bytes(), before - 4 * kMiB);
  EXPECT_EQ(cache.bytes(), budget.used());
  cache.check_invariants();
  cache.shrink(100 * kMiB);
  EXPECT_EQ(cache.bytes(), 0u);
  cache.check_invariants();
  Bytes found;
  EXPECT_FALSE(cache.find(address_of(99'999), found));
  cache.put(address_of(1), "again");
  ASSERT_TRUE(cache.find(address_of(1), found));
  EXPECT_EQ(found, "again");
}

TEST(ReadCache, FindsNothingBelowTheLogsBegin) {
  MemoryBudget budget(64 * kMiB);
  ReadCache cache(budget, kMiB);
  for (std::uint64_t i = 0; i < 1000; ++i) cache.put(address_of(i), record_of(address_of(i), 50));
  cache.drop_below(address_of(600));
  cache.drop_below(address_of(500));  // it only rises
  cache.put(address_of(10), "late");
  Bytes found;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(cache.find(address_of(i), found), i >= 600) << i;
  }
  // Their memory is used again, however often they were read.
  for (std::uint64_t i = 1000; i < 50'000; ++i) {
    cache.put(address_of(i), record_of(address_of(i), 50));
  }
  EXPECT_LE(cache.bytes(), kMiB);
  cache.check_invariants();
}

/// A queue of addresses, the oldest leaves first, each taking the same bytes.
class PlainQueue {
 public:
  explicit PlainQueue(std::size_t count_max) : count_max_(count_max) {}
  bool find_or_put(std::uint64_t key) {
    if (!known_.insert(key).second) return true;
    order_.push_back(key);
    if (order_.size() > count_max_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return false;
  }

 private:
  std::size_t count_max_;
  std::list<std::uint64_t> order_;
  std::unordered_set<std::uint64_t> known_;
};

/// Ranks by Zipf's law, scattered over all keys.
class Zipf {
 public:
  Zipf(std::uint64_t keys, double theta, std::uint64_t seed) : random_(seed) {
    double sum = 0;
    for (std::uint64_t i = 1; i <= keys; ++i) {
      sum += 1 / std::pow(static_cast<double>(i), theta);
      sums_.push_back(sum);
    }
  }
  std::uint64_t next() {
    const double at = random_.real() * sums_.back();
    const auto rank = std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin();
    return static_cast<std::uint64_t>(rank) * 7919 % sums_.size();
  }

 private:
  base::Random random_;
  std::vector<double> sums_;
};

struct Hits {
  std::uint64_t cache = 0;
  std::uint64_t plain = 0;
};

constexpr std::uint64_t kKeys = 50'000;
constexpr std::uint64_t kReads = 150'000;
constexpr std::size_t kRecordBytes = 120;

/// Reads records by Zipf's law; before each, `between` reads its own, which do not count.
/// The plain queue has the same bytes and pays nothing for its table.
template <class Between>
Hits hits_of(std::uint64_t bytes_max, Between between) {
  MemoryBudget budget(1024 * kMiB);
  ReadCache cache(budget, bytes_max);
  PlainQueue plain(bytes_max / (kRecordBytes + 8));
  Zipf zipf(kKeys, 0.99, 42);
  Bytes found;
  const auto read = [&](std::uint64_t key) {
    const LogAddress address = address_of(key);
    const bool hit = cache.find(address, found);
    if (!hit) found = record_of(address, kRecordBytes);
    if (!hit) cache.put(address, found);
    EXPECT_EQ(found, record_of(address, kRecordBytes));
    return Hits{hit, plain.find_or_put(key)};
  };
  Hits hits;
  for (std::uint64_t i = 0; i < kReads; ++i) {
    between(read);
    const Hits one = read(zipf.next());
    hits.cache += one.cache;
    hits.plain += one.plain;
  }
  cache.check_invariants();
  EXPECT_LE(cache.bytes(), bytes_max);
  return hits;
}

void print(const char* what, std::uint64_t bytes_max, const Hits& hits) {
  std::printf("%s, %zu KiB for %zu KiB: %.1f %% of reads hit, plain queue %.1f %%\n", what,
              static_cast<std::size_t>(bytes_max / 1024),
              static_cast<std::size_t>(kKeys * kRecordBytes / 1024),
              static_cast<double>(hits.cache * 100) / kReads,
              static_cast<double>(hits.plain * 100) / kReads);
}

TEST(ReadCache, HitsMoreOftenThanAPlainQueue) {
  for (const std::uint64_t bytes_max : {kMiB / 2, kMiB, 2 * kMiB}) {
    const Hits hits = hits_of(bytes_max, [](auto&) {});
    print("zipf 0.99", bytes_max, hits);
    EXPECT_GT(hits.cache, hits.plain) << bytes_max;
  }
}

TEST(ReadCache, IsNotEmptiedByAScan) {
  // As many reads of records that never come again as of the others.
  std::uint64_t next = kKeys;
  const Hits hits = hits_of(kMiB, [&next](auto& read) { read(next++); });
  print("zipf 0.99 and a scan", kMiB, hits);
  EXPECT_GT(hits.cache * 10, hits.plain * 12);
}

TEST(ReadCache, GivesWholeRecordsToManyThreads) {
  MemoryBudget budget(64 * kMiB);
  ReadCache cache(budget, kMiB);
  constexpr std::uint64_t kEach = 20'000;
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, &wrong, t] {
      base::Random random(t);
      Bytes found;
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t key = random.uniform(random.one_in(2) ? 100 : 20'000);
        const LogAddress address = address_of(key);
        const Bytes record = record_of(address, 40 + key % 400);
        if (cache.find(address, found)) {
          if (found != record) ++wrong;
        } else {
          cache.put(address, record);
        }
        if (t == 0 && i % 2000 == 1999) cache.shrink(200'000);
        if (t == 1 && i % 2000 == 1999) cache.drop_below(address_of(i / 40));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(cache.hits(), 0u);
  EXPECT_GT(cache.misses(), 0u);
  EXPECT_EQ(cache.bytes(), budget.used());
  cache.check_invariants();
}

}  // namespace
}  // namespace strata::backends::hybridlog
