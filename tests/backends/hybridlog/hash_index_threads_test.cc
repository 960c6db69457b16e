// The hash index by many threads at once, most of the time growing; for the thread sanitizer, too.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "backends/hybridlog/hash_index.h"
#include "base/random.h"

namespace strata::backends::hybridlog {
namespace {

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

std::unique_ptr<HashIndex> make_index(Epoch& epoch, MemoryBudget& budget, std::uint64_t buckets) {
  auto index = HashIndex::create(epoch, budget, buckets);
  EXPECT_TRUE(index) << index.error().to_string();
  return *std::move(index);
}

// Each key has an entry of its own whose address is the key and a counter that only rises. The
// counters are plain memory, so that the sanitizer sees whether a lock excludes others in growth,
// too. Keys 2k and 2k + 1 stand in different buckets and are only ever written together.
class Crowd {
 public:
  static constexpr std::uint64_t kKeys = 512;

  static std::uint64_t hash_of(std::uint64_t key) {
    return (key / 2 + key % 2 * (kKeys / 2)) << 55 | (base::mix64(key) >> 9);
  }
  static std::uint64_t key_of(LogAddress head) { return head.value >> 32; }
  static std::uint64_t counter_of(LogAddress head) { return head.value & 0xffff'ffff; }
  /// Pairs that writers also erase.
  static bool comes_and_goes(std::uint64_t pair) { return pair % 4 == 0; }

  void run() {
    for (std::uint64_t pair = 0; pair < kKeys / 2; ++pair) write(pair, false);
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 2; ++i) threads.emplace_back([this, i] { write_many(i); });
    std::vector<std::thread> others;
    for (std::uint64_t i = 0; i < 2; ++i) others.emplace_back([this, i] { read_until_end(i); });
    others.emplace_back([this] { visit_until_end(); });
    for (std::thread& each : threads) each.join();
    end_.store(true);
    for (std::thread& each : others) each.join();
    EXPECT_GT(index_->buckets(), 16u);
    index_->check_invariants();
    const Epoch::Guard guard(epoch_);
    for (std::uint64_t key = 0; key < kKeys; ++key) {
      const LogAddress head = index_->look(hash_of(key)).head;
      if (head || !comes_and_goes(key / 2)) {
        EXPECT_EQ(counter_of(head), counters_[key]);
      }
    }
  }

 private:
  void write(std::uint64_t pair, bool erase) {
    const Epoch::Guard guard(epoch_);
    const std::uint64_t low = hash_of(2 * pair);
    const std::uint64_t high = hash_of(2 * pair + 1);
    HashIndex::Lock first = index_->lock(low);
    ASSERT_FALSE(first.covers(high));
    HashIndex::Lock second = index_->lock(high);
    for (const std::uint64_t key : {2 * pair, 2 * pair + 1}) {
      HashIndex::Lock& lock = key == 2 * pair ? first : second;
      const LogAddress head = lock.head(hash_of(key));
      ASSERT_TRUE(!head || counter_of(head) == counters_[key]);
      ++counters_[key];
      if (erase) {
        lock.erase(hash_of(key));
      } else {
        ASSERT_TRUE(lock.set(hash_of(key), {key << 32 | counters_[key]}));
      }
    }
  }
  void write_many(std::uint64_t seed) {
    base::Random random(seed);
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t pair = random.next() % (kKeys / 2);
      write(pair, comes_and_goes(pair) && random.next() % 2 == 0);
      if (i % 50 != 0) continue;
      if (index_->buckets() < kKeys) {
        ASSERT_TRUE(index_->start_growth());
      }
      {
        const Epoch::Guard guard(epoch_);
        index_->grow_some(1);  // 16 to 512 buckets: spread over almost the whole run
      }
      epoch_.reclaim();
    }
  }
  void read_until_end(std::uint64_t seed) {
    base::Random random(seed);
    std::vector<std::uint64_t> last(kKeys);
    for (bool pair_seen = false; !pair_seen || !end_.load();) {
      const Epoch::Guard guard(epoch_);
      const std::uint64_t key = random.next() % (kKeys / 2) * 2;
      const HashIndex::Look one = index_->look(hash_of(key));
      const HashIndex::Look two = index_->look(hash_of(key + 1));
      for (const std::uint64_t k : {key, key + 1}) {
        const LogAddress head = k == key ? one.head : two.head;
        if (!head) {
          ASSERT_TRUE(comes_and_goes(key / 2));
          continue;
        }
        ASSERT_EQ(key_of(head), k);
        ASSERT_GE(counter_of(head), last[k]);
        last[k] = counter_of(head);
      }
      if (HashIndex::unchanged(one) && HashIndex::unchanged(two)) {
        ASSERT_EQ(bool{one.head}, bool{two.head});
        ASSERT_EQ(counter_of(one.head), counter_of(two.head));
        pair_seen = true;
      }
    }
  }
  void visit_until_end() {
    while (!end_.load()) {
      std::set<std::uint64_t> met;
      std::uint64_t hash = 0;
      do {
        const Epoch::Guard guard(epoch_);
        hash = index_->visit_from(hash, 5, [&](LogAddress head) { met.insert(key_of(head)); });
      } while (hash != 0);
      for (std::uint64_t key = 0; key < kKeys; ++key) {
        ASSERT_TRUE(met.contains(key) || comes_and_goes(key / 2)) << key;
      }
    }
  }

  MemoryBudget budget_{kPlenty};
  Epoch epoch_;
  const std::unique_ptr<HashIndex> index_ = make_index(epoch_, budget_, 16);
  std::vector<std::uint64_t> counters_ = std::vector<std::uint64_t>(kKeys);
  std::atomic<bool> end_{false};
};

TEST(HashIndexThreads, ReadersWritersVisitsAndGrowthAgree) {
  for (int round = 0; round < 5; ++round) Crowd().run();
}

// Under every hold the entry is gone for a moment and comes back elsewhere in its bucket.
TEST(HashIndexThreads, ALookSeesNothingOfWhatIsDoneUnderALock) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 2);
  const auto hash_of = [](std::uint64_t tag) { return tag << 50; };
  for (std::uint64_t tag = 0; tag < 7; ++tag) {
    const Epoch::Guard guard(epoch);
    ASSERT_TRUE(index->lock(hash_of(tag)).set(hash_of(tag), {1 << 4 | tag}));
  }
  std::atomic<bool> end{false};
  std::thread writer([&] {
    for (std::uint64_t i = 2; i < 300'000; ++i) {
      const Epoch::Guard guard(epoch);
      const std::uint64_t tag = i % 7;
      HashIndex::Lock lock = index->lock(hash_of(tag));
      lock.erase(hash_of(tag));
      EXPECT_TRUE(lock.set(hash_of(tag), {i << 4 | tag}));
    }
    end.store(true);
  });
  std::uint64_t last[7] = {};
  for (std::uint64_t i = 0; !end.load(); ++i) {
    const Epoch::Guard guard(epoch);
    const std::uint64_t tag = i % 7;
    const std::uint64_t head = index->look(hash_of(tag)).head.value;
    EXPECT_EQ(head & 0xf, head == 0 ? 16 : tag);
    EXPECT_GE(head >> 4, last[tag]);
    last[tag] = head >> 4;
  }
  writer.join();
}

TEST(OverflowSlab, GivesABucketToOneThreadAtATime) {
  MemoryBudget budget(kPlenty);
  OverflowSlab slab(budget);
  ASSERT_TRUE(slab.tend());
  std::vector<std::thread> threads;
  for (std::uint64_t owner = 1; owner <= 4; ++owner) {
    threads.emplace_back([&, owner] {
      base::Random random(owner);
      std::vector<std::uint32_t> mine;
      for (int i = 0; i < 50'000; ++i) {
        if (mine.size() < 3 && random.next() % 2 == 0) {
          mine.push_back(slab.take());
          ASSERT_NE(mine.back(), 0u);
          ASSERT_EQ(slab[mine.back()].entries[0].exchange(owner), 0u);
        } else if (!mine.empty()) {
          ASSERT_EQ(slab[mine.back()].entries[0].exchange(0), owner);
          slab.give(mine.back());
          mine.pop_back();
        }
      }
      for (const std::uint32_t each : mine) {
        slab[each].entries[0].store(0);
        slab.give(each);
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(slab.used(), 0u);
  // All are still there, each once.
  std::set<std::uint32_t> all;
  for (std::uint32_t i = 1; i < OverflowSlab::kChunkBuckets; ++i) all.insert(slab.take());
  EXPECT_EQ(all.size(), OverflowSlab::kChunkBuckets - 1);
}

// All threads overflow and empty the same few buckets, so that overflow buckets change hands.
TEST(HashIndexThreads, OverflowBucketsChangeHands) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 2);
  constexpr std::uint64_t kTags = 32;
  // Thread 0 to 3 own a quarter of the tags of both buckets; an address says which tag it is of.
  const auto hash_of = [](std::uint64_t bucket, std::uint64_t tag) {
    return bucket << 63 | tag << 50;
  };
  std::vector<std::thread> threads;
  for (std::uint64_t owner = 0; owner < 4; ++owner) {
    threads.emplace_back([&, owner] {
      base::Random random(owner);
      std::vector<std::uint64_t> mine(2 * kTags);
      for (std::uint64_t i = 1; i <= 10'000; ++i) {
        const Epoch::Guard guard(epoch);
        const std::uint64_t bucket = random.next() % 2;
        const std::uint64_t tag = random.next() % (kTags / 4) * 4 + owner;
        const std::uint64_t hash = hash_of(bucket, tag);
        std::uint64_t& own = mine[bucket * kTags + tag];
        ASSERT_EQ(index->look(hash).head.value, own);
        own = random.next() % 2 == 0 ? 0 : i << 8 | bucket << 7 | tag;
        HashIndex::Lock lock = index->lock(hash);
        if (own == 0) {
          lock.erase(hash);
        } else {
          ASSERT_TRUE(lock.set(hash, {own}));
        }
        lock.unlock();
        const std::uint64_t other = random.next() % kTags;
        const LogAddress head = index->look(hash_of(bucket, other)).head;
        ASSERT_TRUE(!head || (head.value & 0xff) == (bucket << 7 | other));
      }
    });
  }
  for (std::thread& each : threads) each.join();
  index->check_invariants();
}

}  // namespace
}  // namespace strata::backends::hybridlog
