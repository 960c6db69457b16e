// The ordered index by many threads at once; for the thread sanitizer, too.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "backends/hybridlog/ordered_index.h"
#include "base/coding.h"
#include "base/random.h"

namespace strata::backends::hybridlog {
namespace {

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

/// Writers that insert and erase keys of their own, between keys that stay, while others read.
class Crowd {
 public:
  /// The keys' numbers are below `numbers`; one in `staying` stays, if that is not 0.
  Crowd(std::uint64_t numbers, std::uint64_t staying) : numbers_(numbers), staying_(staying) {
    auto made = OrderedIndex::create(epoch_, budget_);
    EXPECT_TRUE(made);
    index_ = *std::move(made);
    const Epoch::Guard guard(epoch_);
    for (std::uint64_t n = 0; n < numbers_; ++n) {
      if (!stays(n)) continue;
      EXPECT_EQ(index_->insert(key_of(n)), OrderedIndex::Insert::inserted);
      stay_.push_back(key_of(n));
    }
    std::sort(stay_.begin(), stay_.end());
  }

  void run(int rounds) {
    std::vector<std::thread> writers;
    std::vector<std::thread> readers;
    for (std::uint64_t i = 0; i < kWriters; ++i) {
      writers.emplace_back([this, i, rounds] { write(i, rounds); });
    }
    readers.emplace_back([this] { scan_until_end(false); });
    readers.emplace_back([this] { scan_until_end(true); });
    readers.emplace_back([this] { look_until_end(); });
    for (std::thread& each : writers) each.join();
    end_.store(true);
    for (std::thread& each : readers) each.join();
    epoch_.reclaim();
    index_->check_invariants();
    std::set<Bytes> all(stay_.begin(), stay_.end());
    for (const std::set<Bytes>& each : own_) all.insert(each.begin(), each.end());
    KeyBlock block;
    const Epoch::Guard guard(epoch_);
    index_->collect({{}, true, false}, false, all.size() + 1, block);
    ASSERT_EQ(block.size(), all.size());
    std::size_t i = 0;
    for (const Bytes& key : all) ASSERT_EQ(block[i++], key);
  }

 private:
  static constexpr std::uint64_t kWriters = 2;

  bool stays(std::uint64_t n) const { return staying_ != 0 && n % staying_ == 0; }
  /// Short, long or very long, and not in the numbers' order.
  static Bytes key_of(std::uint64_t n) {
    Bytes key;
    base::put_u64_be(key, base::mix64(n / 8));
    key.resize(n / 8 % 4 == 0 ? 5 : 8);
    if (n / 8 % 5 == 0) key.insert(0, 100, 'p');
    base::put_u32_be(key, static_cast<std::uint32_t>(n));
    if (n % 16 == 1) key.append(150, 's');
    return key;
  }

  // Up and down: mostly inserts, then mostly erasures, in random order and in order.
  void write(std::uint64_t me, int rounds) {
    base::Random random(me + 1);
    std::set<Bytes>& own = own_[me];
    for (int round = 0; round < rounds; ++round) {
      const bool grows = round % 2 == 0;
      for (std::uint64_t i = 0; i < numbers_; ++i) {
        const std::uint64_t n = round % 4 < 2 ? random.uniform(numbers_) : i;
        if (stays(n) || n % kWriters != me) continue;
        const Bytes key = key_of(n);
        const Epoch::Guard guard(epoch_);
        if (random.uniform(20) == 0 ? !grows : grows) {
          const bool inserted = own.insert(key).second;
          ASSERT_EQ(index_->insert(key),
                    inserted ? OrderedIndex::Insert::inserted : OrderedIndex::Insert::present);
        } else {
          ASSERT_EQ(index_->erase(key), own.erase(key) == 1);
        }
      }
      epoch_.reclaim();
    }
  }

  void scan_until_end(bool reverse) {
    base::Random random(reverse ? 11 : 12);
    KeyBlock block;
    do {
      Bytes from;
      bool begun = false;
      std::size_t met = 0;  // of those that stay
      while (true) {
        const std::size_t max = 1 + random.uniform(150);
        block.clear();
        {
          const Epoch::Guard guard(epoch_);
          index_->collect({from, !begun, !begun}, reverse, max, block);
        }
        for (std::size_t i = 0; i < block.size(); ++i) {
          const Bytes key(block[i]);
          if (begun) {
            ASSERT_TRUE(reverse ? key < from : from < key);
          }
          begun = true;
          from = key;
          const std::size_t next = reverse ? stay_.size() - 1 - met : met;
          if (met < stay_.size() && key == stay_[next]) {
            ++met;
          } else if (met < stay_.size()) {
            ASSERT_TRUE(reverse ? key > stay_[next] : key < stay_[next]) << "one was missed";
          }
        }
        if (block.size() < max) break;
      }
      ASSERT_EQ(met, stay_.size());
    } while (!end_.load());
  }

  void look_until_end() {
    base::Random random(5);
    do {
      const std::uint64_t n = random.uniform(numbers_);
      const Epoch::Guard guard(epoch_);
      if (stays(n)) {
        ASSERT_TRUE(index_->contains(key_of(n)));
      } else {
        const Bytes other = key_of(n + numbers_);
        ASSERT_FALSE(index_->contains(other));
      }
    } while (!end_.load());
  }

  const std::uint64_t numbers_;
  const std::uint64_t staying_;
  MemoryBudget budget_{kPlenty};
  Epoch epoch_;
  std::unique_ptr<OrderedIndex> index_;
  std::vector<Bytes> stay_;
  std::set<Bytes> own_[kWriters];  // each its writer's
  std::atomic<bool> end_{false};
};

TEST(OrderedIndexThreads, WhatStaysIsAlwaysSeenOnceAndInOrder) { Crowd(4000, 5).run(12); }

// The tree grows from nothing and back to it again and again.
TEST(OrderedIndexThreads, TheRootGrowsAndCollapsesBesideReaders) { Crowd(300, 0).run(120); }

// Two insert the same keys: of each key exactly one has inserted it, and exactly one erases it.
TEST(OrderedIndexThreads, OfTwoThatInsertOrEraseOneDoes) {
  MemoryBudget budget(kPlenty);
  Epoch epoch;
  auto made = OrderedIndex::create(epoch, budget);
  ASSERT_TRUE(made);
  OrderedIndex& index = **made;
  constexpr std::uint32_t kKeys = 5000;
  std::atomic<std::uint32_t> inserted{0};
  std::atomic<std::uint32_t> erased{0};
  const auto work = [&] {
    for (const bool insert : {true, false}) {
      for (std::uint32_t i = 0; i < kKeys; ++i) {
        Bytes key;
        base::put_u32_be(key, i * 2'654'435'761u);
        const Epoch::Guard guard(epoch);
        if (insert) {
          inserted += index.insert(key) == OrderedIndex::Insert::inserted ? 1 : 0;
        } else {
          erased += index.erase(key) ? 1 : 0;
        }
      }
    }
  };
  std::thread first(work);
  std::thread second(work);
  first.join();
  second.join();
  // One that is ahead may erase what the other then inserts again, and later erases.
  EXPECT_GE(inserted.load(), kKeys);
  EXPECT_EQ(inserted.load(), erased.load());
  EXPECT_EQ(index.count(), 0u);
  index.check_invariants();
}

}  // namespace
}  // namespace strata::backends::hybridlog
