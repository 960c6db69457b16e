// What a VersionStore keeps for snapshots and gives back behind them. What it answers is the
// conformance suite's affair.
#include "backends/memory/version_store.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/random.h"

namespace strata::backends::memory {
namespace {

constexpr Keyspace kSpace{16};

void put(VersionStore& store, BytesView key, BytesView value) {
  store.put({kSpace, key}, {store.next_version(), {}, std::make_shared<const Bytes>(value)});
}
void remove(VersionStore& store, BytesView key) {
  store.remove({kSpace, key}, store.next_version());
}
Bytes seen(const VersionStore& store, BytesView key, Version at) {
  const Revision* revision = store.find({kSpace, key}, {at, 0});
  return revision == nullptr ? "(absent)" : *revision->payload;
}

TEST(VersionStore, KeepsNoOldVersionThatNoSnapshotNeeds) {
  VersionStore store;
  for (int i = 0; i < 10; ++i) put(store, "k", "v");
  EXPECT_EQ(store.old_versions(), 0u);
  const Version held = store.hold();
  for (int i = 0; i < 10; ++i) put(store, "k", "w");
  EXPECT_EQ(store.old_versions(), 1u);
  EXPECT_EQ(seen(store, "k", held), "v");
  EXPECT_EQ(seen(store, "k", kPresent), "w");
  store.release(held);
  EXPECT_FALSE(store.reclaim(10));
  EXPECT_EQ(store.old_versions(), 0u);
  store.check_invariants();
}

TEST(VersionStore, KeepsATombstoneOnlyWhileASnapshotIsOlder) {
  VersionStore store;
  const Version held = store.hold();
  for (int i = 0; i < 100; ++i) {
    put(store, "k", "v");
    remove(store, "k");
  }
  ASSERT_NE(store.chain({kSpace, "k"}), nullptr);
  EXPECT_GT(store.chain({kSpace, "k"})->newest.version, held);
  EXPECT_EQ(store.old_versions(), 0u);
  store.release(held);
  store.reclaim(10);
  EXPECT_EQ(store.chain({kSpace, "k"}), nullptr);
  remove(store, "k");
  EXPECT_EQ(store.chain({kSpace, "k"}), nullptr);
}

TEST(VersionStore, HandsAnOldVersionToTheNextOlderSnapshotThatNeedsIt) {
  VersionStore store;
  put(store, "k", "1");
  const Version first = store.hold();
  put(store, "other", "x");
  const Version second = store.hold();
  put(store, "k", "2");
  store.release(second);
  EXPECT_FALSE(store.reclaim(1));
  EXPECT_EQ(seen(store, "k", first), "1");
  store.release(first);
  store.reclaim(1);
  EXPECT_EQ(store.old_versions(), 0u);
  store.check_invariants();
}

TEST(VersionStore, GivesBackInStepsOfTheAskedSize) {
  VersionStore store;
  for (int i = 0; i < 100; ++i) put(store, std::to_string(i), "v");
  const Version held = store.hold();
  for (int i = 0; i < 100; ++i) put(store, std::to_string(i), "w");
  store.release(held);
  EXPECT_TRUE(store.reclaim(60));
  EXPECT_EQ(store.old_versions(), 40u);
  EXPECT_FALSE(store.reclaim(60));
  EXPECT_EQ(store.old_versions(), 0u);
}

TEST(VersionStore, StaysConsistentUnderRandomWritesAndSnapshots) {
  const std::uint64_t seed = 20240607;
  SCOPED_TRACE(seed);
  base::Random random(seed);
  VersionStore store;
  std::vector<Version> held;
  for (int step = 0; step < 5000; ++step) {
    const Bytes key = std::to_string(random.uniform(8));
    switch (random.uniform(6)) {
      case 0:
      case 1:
        put(store, key, "value");
        break;
      case 2:
        remove(store, key);
        break;
      case 3:
        held.push_back(store.hold());
        break;
      case 4:
        if (held.empty()) break;
        std::swap(held[random.uniform(held.size())], held.back());
        store.release(held.back());
        held.pop_back();
        break;
      case 5:
        store.reclaim(random.uniform(5));
        break;
    }
    store.check_invariants();
  }
  for (const Version version : held) store.release(version);
  while (store.reclaim(100)) {
  }
  store.check_invariants();
  EXPECT_EQ(store.old_versions(), 0u);
}

TEST(ExpiryIndex, CountsWhatIsDueAndFindsTheEarliest) {
  ExpiryIndex index;
  const Keyspace other{17};
  index.insert({kSpace, "a"}, 10);
  index.insert({kSpace, "b"}, 20);
  index.insert({other, "c"}, 5);
  EXPECT_EQ(index.due(kSpace, 9), 0u);
  EXPECT_EQ(index.due(kSpace, 10), 1u);
  EXPECT_EQ(index.due(kSpace, INT64_MAX), 2u);
  EXPECT_FALSE(index.first_due(4).has_value());
  EXPECT_EQ(index.first_due(30)->key, "c");
  index.erase({other, "c"}, 5);
  EXPECT_EQ(index.first_due(30)->key, "a");
  index.erase({kSpace, "a"}, 10);
  EXPECT_FALSE(index.first_due(19).has_value());
}

}  // namespace
}  // namespace strata::backends::memory
