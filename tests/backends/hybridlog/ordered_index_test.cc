// The ordered index by one thread: against a model, under churn, out of memory.
#include "backends/hybridlog/ordered_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/random.h"

namespace strata::backends::hybridlog {
namespace {

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 32;

struct Room {
  explicit Room(std::uint64_t bytes = kPlenty) : budget(bytes) {
    auto made = OrderedIndex::create(epoch, budget);
    EXPECT_TRUE(made) << made.error().to_string();
    index = *std::move(made);
  }
  OrderedIndex::Insert insert(BytesView key) {
    const Epoch::Guard guard(epoch);
    return index->insert(key);
  }
  bool erase(BytesView key) {
    const Epoch::Guard guard(epoch);
    return index->erase(key);
  }
  bool contains(BytesView key) {
    const Epoch::Guard guard(epoch);
    return index->contains(key);
  }
  std::vector<Bytes> collect(const OrderedIndex::Position& from, bool reverse, std::size_t max) {
    KeyBlock block;
    const Epoch::Guard guard(epoch);
    index->collect(from, reverse, max, block);
    std::vector<Bytes> keys;
    for (std::size_t i = 0; i < block.size(); ++i) keys.emplace_back(block[i]);
    return keys;
  }

  MemoryBudget budget;
  Epoch epoch;
  std::unique_ptr<OrderedIndex> index;
};

using Model = std::set<Bytes, std::less<>>;

std::vector<Bytes> model_collect(const Model& model, const OrderedIndex::Position& from,
                                 bool reverse, std::size_t max) {
  std::vector<Bytes> keys;
  if (!reverse) {
    auto at = from.inclusive ? model.lower_bound(from.key) : model.upper_bound(from.key);
    for (; at != model.end() && keys.size() < max; ++at) keys.push_back(*at);
    return keys;
  }
  auto end = from.inclusive ? model.upper_bound(from.key) : model.lower_bound(from.key);
  if (from.from_end) end = model.end();
  for (auto at = std::make_reverse_iterator(end); at != model.rend() && keys.size() < max; ++at) {
    keys.push_back(*at);
  }
  return keys;
}

/// Collects at a position both ways, with and without the position itself.
void expect_same_at(Room& room, const Model& model, BytesView key, std::size_t max) {
  for (const bool inclusive : {false, true}) {
    for (const bool reverse : {false, true}) {
      const OrderedIndex::Position from{key, inclusive, false};
      ASSERT_EQ(room.collect(from, reverse, max), model_collect(model, from, reverse, max))
          << "from a key of " << key.size() << " bytes, inclusive " << inclusive << ", reverse "
          << reverse;
    }
  }
}

void expect_same(Room& room, const Model& model) {
  room.index->check_invariants();
  ASSERT_EQ(room.index->count(), model.size());
  const std::vector<Bytes> all(model.begin(), model.end());
  ASSERT_EQ(room.collect({{}, true, false}, false, model.size() + 1), all);
  const std::vector<Bytes> reversed(model.rbegin(), model.rend());
  ASSERT_EQ(room.collect({{}, true, true}, true, model.size() + 1), reversed);
}

/// How keys are made; `n` is random.
struct Keys {
  const char* name;
  int steps;
  Bytes (*make)(base::Random& random, std::uint64_t n);
};

Bytes big_endian(std::uint64_t n) {
  Bytes key;
  base::put_u64_be(key, n);
  return key;
}

const Keys kKeys[] = {
    {"Few", 4000, [](base::Random&, std::uint64_t n) { return big_endian(n % 300).substr(6); }},
    {"Random", 10000, [](base::Random&, std::uint64_t n) { return big_endian(n % 20000 * n); }},
    {"Numbers", 10000, [](base::Random&, std::uint64_t n) { return big_endian(n % 10000); }},
    // Of zeros and ones, from the empty key on, so that keys are prefixes of each other and differ
    // in zeros behind their end.
    {"Zeros", 10000,
     [](base::Random&, std::uint64_t n) {
       Bytes key;
       for (std::uint64_t bits = n % 17; bits > 0; --bits) key.push_back("\0\1"[n >> bits & 1]);
       return key;
     }},
    {"AllZeros", 8000, [](base::Random&, std::uint64_t n) { return Bytes(n % 600, '\0'); }},
    // Long common prefixes of several lengths, some beyond what a node says of its prefix.
    {"SharedPrefixes", 10000,
     [](base::Random&, std::uint64_t n) {
       constexpr std::size_t kLengths[] = {0, 3, 60, 100, 120, 127, 128, 129, 250};
       return Bytes(kLengths[n % 9], static_cast<char>('a' + n / 16 % 2)) +
              big_endian(n / 256 % 700).substr(n / 1024 % 2 * 6);
     }},
    // So that each leaf has another long prefix, and each key at its end breaks it.
    {"BrokenPrefixes", 10000,
     [](base::Random&, std::uint64_t n) {
       Bytes key(110, static_cast<char>(n % 7));
       if (n % 5 == 0) key.resize(n / 5 % 110);
       return key + static_cast<char>(n / 1000 % 40);
     }},
    {"AllLengths", 6000,
     [](base::Random& random, std::uint64_t n) {
       return big_endian(n % 500) + Bytes(n % 500 % 160, static_cast<char>(random.next() % 2));
     }},
    {"Huge", 200,
     [](base::Random&, std::uint64_t n) {
       const Bytes end = n % 3 == 0 ? Bytes() : big_endian(n % 60);
       return Bytes(OrderedIndex::kKeyBytesMax - 8 * (1 + n % 2), 'k') + end;
     }},
};

class OrderedIndexModel : public testing::TestWithParam<Keys> {};

// Random inserts, erasures and look-ups beside a std::set, in phases in which it grows and shrinks,
// and each time it is compared from end to end.
TEST_P(OrderedIndexModel, HoldsWhatASetHolds) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    base::Random random(seed);
    Room room;
    Model model;
    const auto phase = [&](std::uint64_t inserts_in_hundred) {
      for (int step = 0; step < GetParam().steps; ++step) {
        const Bytes key = GetParam().make(random, random.next() >> 8);
        if (random.uniform(100) < inserts_in_hundred) {
          const bool inserted = model.insert(key).second;
          ASSERT_EQ(room.insert(key),
                    inserted ? OrderedIndex::Insert::inserted : OrderedIndex::Insert::present);
        } else {
          ASSERT_EQ(room.erase(key), model.erase(key) == 1);
        }
        const Bytes other = GetParam().make(random, random.next() >> 8);
        ASSERT_EQ(room.contains(other), model.contains(other));
        if (step % 64 == 0) {
          expect_same_at(room, model, other, random.uniform(200));
          if (testing::Test::HasFatalFailure()) return;
        }
      }
      room.epoch.reclaim();
      expect_same(room, model);
    };
    for (const std::uint64_t inserts_in_hundred : {90u, 50u, 10u, 70u}) {
      phase(inserts_in_hundred);
      if (testing::Test::HasFatalFailure()) return;
    }
    // Down to nothing, in order or not, and it can still be used.
    std::vector<Bytes> rest(model.begin(), model.end());
    if (seed == 2) std::shuffle(rest.begin(), rest.end(), random);
    for (const Bytes& key : rest) ASSERT_TRUE(room.erase(key));
    expect_same(room, {});
    ASSERT_EQ(room.insert("again"), OrderedIndex::Insert::inserted);
    expect_same(room, {"again"});
  }
}

TEST_P(OrderedIndexModel, CollectsFromEveryPosition) {
  base::Random random(7);
  Room room;
  Model model;
  std::vector<Bytes> asked;
  for (int i = 0; i < 400; ++i) {
    asked.push_back(GetParam().make(random, random.next() >> 8));
    if (i % 4 == 0) continue;
    model.insert(asked.back());
    room.insert(asked.back());
  }
  asked.push_back({});
  asked.push_back(Bytes(9, '\xff'));
  for (const Bytes& key : asked) {
    for (const std::size_t max : {0u, 1u, 2u, 100u, 1000u}) {
      if (key.size() > 1000 && max > 2) continue;
      expect_same_at(room, model, key, max);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, OrderedIndexModel, testing::ValuesIn(kKeys),
                         [](const auto& of) { return of.param.name; });

TEST(KeyBlock, KeepsTheFirstKeys) {
  KeyBlock block;
  for (const BytesView key : {"one", "", "three"}) {
    std::copy(key.begin(), key.end(), block.add(key.size()));
  }
  EXPECT_EQ(block.size(), 3u);
  EXPECT_EQ(block[2], "three");
  block.truncate(2);
  EXPECT_EQ(block.size(), 2u);
  EXPECT_EQ(block[0], "one");
  EXPECT_EQ(block[1], "");
  std::fill_n(block.add(1), 1, 'x');
  EXPECT_EQ(block[2], "x");
  block.clear();
  EXPECT_TRUE(block.empty());
}

TEST(OrderedIndex, CollectsBehindWhatIsThere) {
  Room room;
  for (int i = 0; i < 1000; ++i) room.insert(big_endian(static_cast<std::uint64_t>(i)));
  KeyBlock block;
  {
    const Epoch::Guard guard(room.epoch);
    room.index->collect({big_endian(500), true, false}, false, 2, block);
    room.index->collect({big_endian(2), true, false}, true, 100, block);
  }
  ASSERT_EQ(block.size(), 5u);
  EXPECT_EQ(block[1], big_endian(501));
  EXPECT_EQ(block[4], big_endian(0));
}

// Half of it is the keys; the rest: slots, room in leaves that were split, and in the last chunk.
TEST(OrderedIndex, RandomKeysOf16BytesCostNoMoreThanTwiceThat) {
  Room room;
  base::Random random(1);
  constexpr std::uint64_t kCount = 200'000;
  for (std::uint64_t i = 0; i < kCount; ++i) room.insert(random.bytes(16));
  EXPECT_EQ(room.index->bytes(), room.budget.used());
  EXPECT_LT(room.index->bytes(), 32 * kCount);
}

TEST(OrderedIndex, AscendingKeysFillTheirLeaves) {
  Room room;
  constexpr std::uint64_t kCount = 200'000;
  for (std::uint64_t i = 0; i < kCount; ++i) room.insert(big_endian(i * 3));
  EXPECT_LT(room.index->bytes(), 12 * kCount);
}

// A queue: keys come at one end and go at the other. What it costs does not depend on how many
// have passed.
TEST(OrderedIndex, AQueueDoesNotGrow) {
  for (const std::size_t tail_bytes : {0u, 200u}) {
    SCOPED_TRACE(tail_bytes);
    Room room;
    const auto key = [&](std::uint64_t i) { return big_endian(i) + Bytes(tail_bytes, 't'); };
    std::uint64_t settled = 0;
    constexpr std::uint64_t kLength = 2000;
    for (std::uint64_t i = 0; i < 30 * kLength; ++i) {
      ASSERT_EQ(room.insert(key(i)), OrderedIndex::Insert::inserted);
      if (i >= kLength) {
        ASSERT_TRUE(room.erase(key(i - kLength)));
      }
      if (i % 100 == 0) room.epoch.reclaim();
      if (i == 4 * kLength) settled = room.index->bytes();
    }
    EXPECT_LE(room.index->bytes(), settled + settled / 4);
    room.index->check_invariants();
  }
}

// Most keys go, and those that stay lie in leaves that were full once.
TEST(OrderedIndex, SparseLeavesAreMerged) {
  Room room;
  constexpr std::uint64_t kCount = 40'000;
  const auto round = [&](std::uint64_t from) {
    for (std::uint64_t i = from; i < from + kCount; ++i) room.insert(big_endian(i));
    for (std::uint64_t i = from; i < from + kCount; ++i) {
      if (i % 50 != 0) {
        ASSERT_TRUE(room.erase(big_endian(i)));
      }
    }
    room.epoch.reclaim();
    room.index->check_invariants();
  };
  round(0);
  const std::uint64_t once = room.index->bytes();
  for (std::uint64_t i = 1; i < 10; ++i) round(i * kCount);
  EXPECT_LE(room.index->bytes(), 2 * once);
}

TEST(OrderedIndex, LongKeysGiveTheirMemoryBack) {
  Room room;
  room.insert("short");
  const std::uint64_t before = room.index->bytes();
  for (int round = 0; round < 3; ++round) {
    for (char c = 'a'; c < 'g'; ++c) {
      ASSERT_EQ(room.insert(Bytes(60'000, c)), OrderedIndex::Insert::inserted);
      ASSERT_EQ(room.insert(Bytes(60'000, c)), OrderedIndex::Insert::present);
    }
    EXPECT_GE(room.index->bytes(), before + 6 * 60'000);
    for (char c = 'a'; c < 'g'; ++c) ASSERT_TRUE(room.erase(Bytes(60'000, c)));
    room.epoch.reclaim();
    EXPECT_EQ(room.index->bytes(), before);
  }
}

// Keys of all kinds, until the budget has no room: each refusal leaves the keys as they were, and
// what is erased makes room.
TEST(OrderedIndex, ARefusalChangesNothing) {
  for (std::uint64_t kib = 64; kib <= 1024; kib *= 2) {
    SCOPED_TRACE(kib);
    Room room(kib << 10);
    base::Random random(kib);
    Model model;
    int refused = 0;
    for (int i = 0; i < 40'000; ++i) {
      const Bytes key = random.one_in(50) ? Bytes(random.uniform(2000), 'x') + random.bytes(1)
                                          : random.bytes(random.uniform(30));
      switch (room.insert(key)) {
        case OrderedIndex::Insert::inserted:
          ASSERT_TRUE(model.insert(key).second);
          break;
        case OrderedIndex::Insert::present:
          ASSERT_TRUE(model.contains(key));
          break;
        case OrderedIndex::Insert::no_memory:
          ASSERT_FALSE(room.contains(key));
          ++refused;
      }
      ASSERT_LE(room.budget.used(), room.budget.limit());
    }
    EXPECT_GT(refused, 100);
    expect_same(room, model);
    for (const Bytes& key : std::vector<Bytes>(model.begin(), model.end())) {
      ASSERT_TRUE(room.erase(key));
    }
    room.epoch.reclaim();
    for (std::uint64_t i = 0; i < 1000; ++i) {
      ASSERT_EQ(room.insert(big_endian(i)), OrderedIndex::Insert::inserted);
    }
  }
}

TEST(OrderedIndex, WithoutRoomForARootThereIsNone) {
  Epoch epoch;
  MemoryBudget budget(1000);
  const auto made = OrderedIndex::create(epoch, budget);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::quota);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(OrderedIndex, GivesAllBackAtItsEnd) {
  Room room;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    room.insert(big_endian(i) + Bytes(i % 300, 'x'));
    if (i % 3 == 0) room.erase(big_endian(i) + Bytes(i % 300, 'x'));
  }
  room.index.reset();
  room.epoch.reclaim();
  EXPECT_EQ(room.budget.used(), 0u);
}

TEST(OrderedIndex, LoadsSortedKeysBehindWhatIsThere) {
  for (const Keys& keys : kKeys) {
    SCOPED_TRACE(keys.name);
    base::Random random(3);
    Model model = {""};
    Room room;
    room.insert("");
    Model more;
    for (int i = 0; i < keys.steps; ++i) more.insert(keys.make(random, random.next() >> 8));
    more.erase("");
    auto at = more.begin();
    const Result<> loaded = room.index->load_sorted([&](BytesView& key) {
      if (at == more.end()) return false;
      key = *at++;
      return true;
    });
    ASSERT_TRUE(loaded);
    model.insert(more.begin(), more.end());
    expect_same(room, model);
    for (int i = 0; i < 1000; ++i) {
      const Bytes key = keys.make(random, random.next() >> 8);
      ASSERT_EQ(room.insert(key) == OrderedIndex::Insert::inserted, model.insert(key).second);
    }
    expect_same(room, model);
  }
}

TEST(OrderedIndex, ALoadWithoutMemoryKeepsWhatCameBefore) {
  Room room(128 << 10);
  std::uint64_t given = 0;
  Bytes key;
  const Result<> loaded = room.index->load_sorted([&](BytesView& to) {
    to = key = big_endian(given++);
    return true;
  });
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::quota);
  room.index->check_invariants();
  EXPECT_EQ(room.index->count(), given - 1);
}

}  // namespace
}  // namespace strata::backends::hybridlog
