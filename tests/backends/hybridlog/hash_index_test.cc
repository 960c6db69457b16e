// The hash index by one thread: against a model, crowded, growing, out of memory.
#include "backends/hybridlog/hash_index.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/random.h"

namespace strata::backends::hybridlog {
namespace {

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

std::unique_ptr<HashIndex> make_index(Epoch& epoch, MemoryBudget& budget, std::uint64_t buckets) {
  auto index = HashIndex::create(epoch, budget, buckets);
  EXPECT_TRUE(index) << index.error().to_string();
  return *std::move(index);
}

void grow_fully(Epoch& epoch, HashIndex& index) {
  ASSERT_TRUE(index.start_growth());
  {
    const Epoch::Guard guard(epoch);
    while (index.grow_some(100)) {
    }
  }
  epoch.reclaim();
}

/// A log of records that hold nothing but their hash, with the index over it.
struct Chains {
  struct Record {
    std::uint64_t hash;
    LogAddress prev;
  };
  HashIndex& index;
  std::vector<Record> records = {{}};  // by address; 0 is nowhere

  bool put(std::uint64_t hash) {
    HashIndex::Lock lock = index.lock(hash);
    records.push_back({hash, lock.head(hash)});
    return lock.set(hash, {records.size() - 1});
  }
  LogAddress find(LogAddress head, std::uint64_t hash) const {
    while (head && records[head.value].hash != hash) head = records[head.value].prev;
    return head;
  }
  LogAddress get(std::uint64_t hash) const { return find(index.look(hash).head, hash); }
};

/// How hashes are spread: what is left of a random hash.
struct Spread {
  const char* name;
  std::uint64_t mask;
};
class HashIndexModel : public testing::TestWithParam<Spread> {};

// Random puts, gets, erasures and growth beside a std::map. An erased entry takes all keys of its
// chain along, those that the bucket covers.
TEST_P(HashIndexModel, FindsWhatAMapFinds) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    base::Random random(seed);
    Epoch epoch;
    MemoryBudget budget(kPlenty);
    const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 2);
    Chains chains{*index};
    std::map<std::uint64_t, std::uint64_t> model;
    for (int step = 0; step < 20'000; ++step) {
      const std::uint64_t hash = random.next() & GetParam().mask;
      const std::uint64_t what = random.next() % 100;
      if (what == 0 && index->buckets() < 4096) {
        ASSERT_TRUE(index->start_growth());
      }
      const Epoch::Guard guard(epoch);
      if (what < 50) {
        ASSERT_TRUE(chains.put(hash));
        model[hash] = chains.records.size() - 1;
      } else if (what < 60) {
        const auto near = model.lower_bound(hash);
        if (near == model.end()) continue;
        HashIndex::Lock lock = index->lock(near->first);
        const std::uint64_t gone = near->first;
        for (LogAddress at = lock.head(gone); at; at = chains.records[at.value].prev) {
          if (lock.covers(chains.records[at.value].hash))
            model.erase(chains.records[at.value].hash);
        }
        lock.erase(gone);
        EXPECT_FALSE(lock.head(gone));
      } else if (what < 70) {
        index->grow_some(random.next() % 8);
      } else {
        const auto near = model.lower_bound(hash);
        if (near != model.end()) {
          ASSERT_EQ(chains.get(near->first).value, near->second);
        }
        ASSERT_EQ(chains.get(hash).value, model.contains(hash) ? model[hash] : 0);
      }
      if (step % 1000 == 0) index->check_invariants();
    }
    index->check_invariants();
    const Epoch::Guard guard(epoch);
    for (const auto& [hash, address] : model) ASSERT_EQ(chains.get(hash).value, address);
  }
}

INSTANTIATE_TEST_SUITE_P(
    , HashIndexModel,
    testing::Values(Spread{"Even", ~std::uint64_t{0}},
                    Spread{"InFewBuckets", 0x03ff'ffff'ffff'ffff},  // long overflow
                    Spread{"WithFewTags", 0xff80'0000'0000'00ff},   // many keys in a chain
                    Spread{"WithTagsAlike", 0xffff'8000'0000'000f}),
    [](const auto& spread) { return spread.param.name; });

// Entries lose a known bit with each growth: after 16 they know none and stand in both halves. None
// may be lost, and both halves may be written apart.
TEST(HashIndex, KeepsEntriesThatNoKnownBitIsLeftOf) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 2);
  Chains chains{*index};
  base::Random random(7);
  std::vector<std::uint64_t> hashes;
  const auto put_some = [&](int count) {
    const Epoch::Guard guard(epoch);
    for (int i = 0; i < count; ++i) {
      hashes.push_back(random.next());
      ASSERT_TRUE(chains.put(hashes.back()));
    }
  };
  put_some(40);
  for (int growth = 0; growth < 18; ++growth) {
    grow_fully(epoch, *index);
    put_some(10);
    index->check_invariants();
    const Epoch::Guard guard(epoch);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      ASSERT_EQ(chains.get(hashes[i]).value, i + 1) << "after growth " << growth;
    }
  }
  EXPECT_EQ(index->buckets(), std::uint64_t{2} << 18);
  EXPECT_GT(index->entries(), hashes.size());  // some are doubled

  const Epoch::Guard guard(epoch);
  std::set<std::uint64_t> met;
  std::uint64_t hash = 0;
  do {
    hash = index->visit_from(hash, 1000, [&](LogAddress head) {
      for (; head; head = chains.records[head.value].prev) met.insert(head.value);
    });
  } while (hash != 0);
  EXPECT_EQ(met.size(), hashes.size());

  // The first entry, doubled: erased for its own hash, it stays in the other half.
  const std::uint64_t other = hashes[0] ^ std::uint64_t{1} << (63 - 18);
  const LogAddress shared = index->look(hashes[0]).head;
  ASSERT_EQ(index->look(other).head, shared);
  index->lock(hashes[0]).erase(hashes[0]);
  EXPECT_FALSE(index->look(hashes[0]).head);
  EXPECT_EQ(index->look(other).head, shared);
  index->check_invariants();
}

TEST(HashIndex, OneTagHasOneEntryAndEraseLeavesTheOthers) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 64);
  const Epoch::Guard guard(epoch);
  // Tags 0 to 29 of bucket 5: the primary and four overflow buckets.
  const auto hash_of = [](std::uint64_t tag) { return std::uint64_t{5} << 58 | tag << 43; };
  for (int round = 1; round <= 2; ++round) {
    for (std::uint64_t tag = 0; tag < 30; ++tag) {
      HashIndex::Lock lock = index->lock(hash_of(tag));
      EXPECT_EQ(lock.head(hash_of(tag)).value, round == 1 ? 0 : 100 + tag);
      ASSERT_TRUE(lock.set(hash_of(tag), {static_cast<std::uint64_t>(round) * 100 + tag}));
    }
    EXPECT_EQ(index->entries(), 30u);
    EXPECT_EQ(index->overflow_buckets(), 4u);
  }
  index->check_invariants();
  std::uint64_t left = 30;
  for (const std::uint64_t tag : {0u, 29u, 7u, 13u, 14u, 1u, 2u, 3u, 20u, 21u}) {
    index->lock(hash_of(tag)).erase(hash_of(tag));
    --left;
    EXPECT_FALSE(index->look(hash_of(tag)).head);
    EXPECT_EQ(index->entries(), left);
    index->check_invariants();
  }
  EXPECT_EQ(index->overflow_buckets(), 2u);
  for (const std::uint64_t tag : {4u, 5u, 12u, 28u}) {
    EXPECT_EQ(index->look(hash_of(tag)).head.value, 200 + tag);
  }
  index->lock(hash_of(40)).erase(hash_of(40));  // not there
  EXPECT_EQ(index->entries(), left);
}

TEST(HashIndex, ALookNoticesEveryHoldButThoseThatTouchedNothing) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 64);
  const std::uint64_t hash = 0x1234'5678'9abc'def0;
  ASSERT_TRUE(index->start_growth());
  const Epoch::Guard guard(epoch);
  HashIndex::Look look = index->look(hash);
  EXPECT_TRUE(HashIndex::unchanged(look));
  {
    HashIndex::Lock lock = index->lock(hash);
    EXPECT_FALSE(HashIndex::unchanged(look));
    lock.untouched();
  }
  EXPECT_TRUE(HashIndex::unchanged(look));
  index->lock(hash).unlock();  // a record may have been changed
  EXPECT_FALSE(HashIndex::unchanged(look));
  look = index->look(hash);
  {
    HashIndex::Lock lock = index->lock(hash);
    lock.untouched();
    ASSERT_TRUE(lock.set(hash, {8}));
  }
  EXPECT_FALSE(HashIndex::unchanged(look));
  look = index->look(hash);
  index->lock(hash ^ std::uint64_t{1} << 63).unlock();  // another bucket
  EXPECT_TRUE(HashIndex::unchanged(look));
  while (index->grow_some(1)) {
  }
  EXPECT_FALSE(HashIndex::unchanged(look));
  look = index->look(hash);
  EXPECT_EQ(look.head.value, 8u);
  EXPECT_TRUE(HashIndex::unchanged(look));
}

TEST(HashIndex, ALockCoversItsRangeOfHashesBeforeDuringAndAfterGrowth) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 64);
  const auto at = [](std::uint64_t bucket_of_128) { return bucket_of_128 << 57; };
  ASSERT_TRUE(index->start_growth());
  {
    const Epoch::Guard guard(epoch);
    index->grow_some(1);  // bucket 0 of 64 is now 0 and 1 of 128
    EXPECT_TRUE(index->growing());
    std::vector<HashIndex::Lock> locks;
    for (std::uint64_t i = 0; i < 128; ++i) {
      if (locks.empty() || !locks.back().covers(at(i))) locks.push_back(index->lock(at(i)));
      EXPECT_TRUE(locks.back().covers(at(i)));
    }
    EXPECT_EQ(locks.size(), 65u);
    EXPECT_TRUE(locks.back().covers(~std::uint64_t{0}));
    locks.clear();
    index->check_invariants();
    while (index->grow_some(7)) {
    }
    EXPECT_FALSE(index->growing());
    EXPECT_FALSE(index->lock(at(126)).covers(at(127)));
  }
  EXPECT_EQ(index->buckets(), 128u);
}

TEST(HashIndex, WantsToGrowWhenBucketsAreFullAndNotBefore) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 64);
  base::Random random(3);
  std::uint64_t put = 0;
  const auto put_one = [&] {
    const Epoch::Guard guard(epoch);
    const std::uint64_t hash = random.next();
    ASSERT_TRUE(index->lock(hash).set(hash, {++put}));
  };
  while (put < 64 * 4) put_one();
  EXPECT_FALSE(index->wants_growth());
  while (put < 64 * 7) put_one();
  EXPECT_TRUE(index->wants_growth());
  ASSERT_TRUE(index->start_growth());
  EXPECT_TRUE(index->start_growth());  // goes on already
  EXPECT_FALSE(index->wants_growth());
  {
    const Epoch::Guard guard(epoch);
    while (index->grow_some(1)) {
    }
    EXPECT_FALSE(index->grow_some(1));
  }
  EXPECT_FALSE(index->wants_growth());
  EXPECT_EQ(index->buckets(), 128u);
}

TEST(HashIndex, TakesItsMemoryFromTheBudgetAndGivesItBack) {
  MemoryBudget budget(kPlenty);
  {
    Epoch epoch;
    {
      const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 1u << 15);
      EXPECT_EQ(budget.used(), index->bytes());
      EXPECT_GE(index->bytes(), 64u << 15);
      ASSERT_TRUE(index->start_growth());
      EXPECT_EQ(budget.used(), index->bytes());
      EXPECT_GE(index->bytes(), 3 * (64u << 15));
      {
        const Epoch::Guard guard(epoch);
        while (index->grow_some(1000)) {
        }
        epoch.reclaim();
        EXPECT_GT(budget.used(), index->bytes());  // the guard keeps the old table
      }
      epoch.reclaim();
      EXPECT_EQ(budget.used(), index->bytes());
      ASSERT_TRUE(index->start_growth());
    }
    EXPECT_EQ(budget.used(), 0u);
  }
}

TEST(HashIndex, IsNotMadeWithoutRoomInTheBudget) {
  Epoch epoch;
  MemoryBudget enough(kPlenty);
  const std::uint64_t bytes = make_index(epoch, enough, 1024)->bytes();
  for (const std::uint64_t less : {std::uint64_t{1}, bytes / 2, bytes}) {
    MemoryBudget budget(bytes - less);
    const auto refused = HashIndex::create(epoch, budget, 1024);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::quota);
    EXPECT_EQ(budget.used(), 0u);
  }
  MemoryBudget just(bytes);
  EXPECT_TRUE(HashIndex::create(epoch, just, 1024));
}

TEST(HashIndex, WithoutMemoryGrowthAndOverflowAreRefusedAndNothingChanges) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 64);
  const auto hash_of = [](std::uint64_t i) { return i % 64 << 58 | i / 64 << 43; };
  const std::uint64_t taken = budget.left();
  budget.take(taken);
  EXPECT_FALSE(index->start_growth());
  EXPECT_FALSE(index->growing());
  EXPECT_EQ(index->buckets(), 64u);
  std::uint64_t refused = 0;
  {
    const Epoch::Guard guard(epoch);
    std::uint64_t put = 0;
    for (; refused == 0; ++put) {
      const std::uint64_t hash = hash_of(put);
      HashIndex::Lock lock = index->lock(hash);
      const HashIndex::Look before = {nullptr, 0, lock.head(hash)};
      EXPECT_FALSE(before.head);
      if (!lock.set(hash, {put + 1})) refused = hash;
      EXPECT_EQ(lock.head(hash).value, refused == 0 ? put + 1 : 0);
    }
    EXPECT_EQ(index->overflow_buckets(), OverflowSlab::kChunkBuckets - 1);
    EXPECT_EQ(index->entries(), put - 1);
    EXPECT_TRUE(index->lock(0).set(0, {put}));  // no new entry, no new bucket
    index->lock(0).erase(0);
    EXPECT_EQ(index->look(hash_of(1)).head.value, 2u);
  }
  index->check_invariants();
  budget.give(taken);
  {
    const Epoch::Guard guard(epoch);
    EXPECT_TRUE(index->lock(refused).set(refused, {1}));
  }
  // Growth takes apart even these chains with the overflow buckets they have.
  budget.take(budget.left() - 128 * sizeof(Bucket));
  ASSERT_TRUE(index->start_growth());
  EXPECT_EQ(budget.left(), 0u);
  {
    const Epoch::Guard guard(epoch);
    while (index->grow_some(1)) {
    }
    EXPECT_EQ(index->look(refused).head.value, 1u);
    EXPECT_EQ(index->look(hash_of(77)).head.value, 78u);
  }
  index->check_invariants();
}

TEST(HashIndex, AVisitMeetsAllThatStaysWhileTheIndexGrows) {
  Epoch epoch;
  MemoryBudget budget(kPlenty);
  base::Random random(11);
  for (int round = 0; round < 50; ++round) {
    const std::unique_ptr<HashIndex> index = make_index(epoch, budget, 16);
    std::set<std::uint64_t> expected;
    for (std::uint64_t i = 1; i <= 300; ++i) {
      const Epoch::Guard guard(epoch);
      const std::uint64_t hash = random.next();
      HashIndex::Lock lock = index->lock(hash);
      expected.erase(lock.head(hash).value);
      ASSERT_TRUE(lock.set(hash, {i}));
      expected.insert(i);
    }
    std::set<std::uint64_t> met;
    std::uint64_t hash = 0;
    do {
      if (random.next() % 4 == 0 && index->buckets() < 1024) {
        ASSERT_TRUE(index->start_growth());
      }
      const Epoch::Guard guard(epoch);
      index->grow_some(random.next() % 16);
      const std::uint64_t next = index->visit_from(
          hash, random.next() % 8, [&](LogAddress head) { met.insert(head.value); });
      ASSERT_TRUE(next == 0 || next > hash);
      hash = next;
    } while (hash != 0);
    ASSERT_EQ(met, expected);
  }
}

}  // namespace
}  // namespace strata::backends::hybridlog
