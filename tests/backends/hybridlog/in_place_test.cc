// Writes that change records where they lie: which go that way, that they say the same as those
// that do not, and that many threads see a batch of them whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "backends/hybridlog/batch_in_place.h"
#include "backends/hybridlog/open_for_test.h"
#include "io/posix_file_system.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::backends::hybridlog {
namespace {

constexpr Keyspace kSpace{20};

Bytes key_of(int number) { return "key number " + std::to_string(1000 + number); }
Bytes value_of(int counter) { return "the value " + std::to_string(10'000'000 + counter); }

class InPlace : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_for_test({.files = io::posix(),
                                 .clock = base::system_clock(),
                                 .folder = "",
                                 .durability = Durability::none,
                                 .memory_bytes = 32 << 20},
                                {});
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = *std::move(opened);
  }
  void TearDown() override { EXPECT_TRUE(engine_->close()); }

  void put_all(int keys, int counter) {
    WriteBatch batch;
    for (int i = 0; i < keys; ++i) batch.put({kSpace, key_of(i)}, value_of(counter));
    ASSERT_TRUE(engine_->commit(batch));
  }
  /// Where the log ends: a write in place does not move it.
  double tail() {
    for (const Stats::Figure& figure : engine_->stats().more) {
      if (figure.name == "log_tail") return figure.value;
    }
    ADD_FAILURE() << "the engine does not say where its log ends";
    return 0;
  }
  Bytes get(int key, const Snapshot* at = nullptr) {
    Value value;
    const auto found = engine_->get({kSpace, key_of(key)}, value, {.at = at});
    EXPECT_TRUE(found && *found) << key;
    return value.to_bytes();
  }
  Version version(int key) {
    Value value;
    return (*engine_->get({kSpace, key_of(key)}, value)).value().version;
  }

  std::unique_ptr<Engine> engine_;
};

TEST_F(InPlace, BatchesUpToTheMost) {
  put_all(200, 0);
  for (const std::size_t size :
       {std::size_t{2}, std::size_t{3}, std::size_t{32}, kBatchInPlaceMax}) {
    const int keys = static_cast<int>(size);
    const double before = tail();
    put_all(keys, keys);
    EXPECT_EQ(tail(), before) << keys;
    for (int i = 0; i < 200; ++i) {
      if (i < keys) {
        EXPECT_EQ(get(i), value_of(keys));
        EXPECT_EQ(version(i), version(0)) << keys << ", " << i;
      } else {
        EXPECT_EQ(get(i), value_of(0));
      }
    }
  }
}

TEST_F(InPlace, OfTwoPutsOfAKeyTheLaterOneStays) {
  put_all(20, 0);
  const double before = tail();
  WriteBatch batch;
  for (const int counter : {1, 2, 3}) {
    for (const int key : {4, 5}) batch.put({kSpace, key_of(key)}, value_of(counter));
  }
  const Version committed = (*engine_->commit(batch)).version;
  EXPECT_EQ(tail(), before);
  EXPECT_EQ(get(4), value_of(3));
  EXPECT_EQ(get(5), value_of(3));
  EXPECT_EQ(version(4), committed);
  EXPECT_EQ(get(6), value_of(0));
  EXPECT_EQ((*engine_->commit(batch)).version.value, committed.value + 1);
}

// What one of its puts cannot do sends the whole batch the long way, with the same end.
TEST_F(InPlace, WhatDoesNotFitIsDoneAllTheSame) {
  put_all(20, 0);
  RecordAttributes expiring;
  expiring.expires_ms = INT64_MAX / 2;
  const std::vector<std::function<void(WriteBatch&)>> others = {
      [](WriteBatch& batch) { batch.put({kSpace, "a new key"}, "value"); },
      [](WriteBatch& batch) { batch.put({kSpace, key_of(7)}, "shorter"); },
      [&](WriteBatch& batch) { batch.put({kSpace, key_of(8)}, value_of(9), expiring); },
      [](WriteBatch& batch) { batch.put({kSpace, key_of(9)}, Bytes(5000, 'l')); },
      [](WriteBatch& batch) { batch.remove({kSpace, key_of(10)}); },
      [](WriteBatch& batch) { batch.append({kSpace, key_of(11)}, "!"); },
      [](WriteBatch& batch) { batch.delete_range(kSpace, key_of(12), key_of(14)); },
      [](WriteBatch& batch) { batch.require_present({kSpace, key_of(15)}); }};
  int counter = 0;
  for (const auto& other : others) {
    ++counter;
    WriteBatch batch;
    for (const int key : {1, 2, 3}) batch.put({kSpace, key_of(key)}, value_of(counter));
    other(batch);
    ASSERT_TRUE(engine_->commit(batch)) << counter;
    for (const int key : {1, 2, 3}) EXPECT_EQ(get(key), value_of(counter));
  }
  EXPECT_EQ(get(7), "shorter");
  EXPECT_EQ(get(8), value_of(9));
  EXPECT_EQ(get(9), Bytes(5000, 'l'));
  EXPECT_EQ(get(11), value_of(0) + "!");
  EXPECT_EQ(*engine_->count(kSpace), 20u + 1 - 1 - 2);
  ASSERT_TRUE(engine_->check_invariants());
}

TEST_F(InPlace, WhatASnapshotSeesStays) {
  put_all(20, 1);
  const auto snapshot = *engine_->as<Snapshots>()->snapshot();
  put_all(20, 2);
  ASSERT_TRUE(engine_->put({kSpace, key_of(3)}, value_of(3)));
  const auto count_up = [](const Current& current, Update& update) -> Result<> {
    EXPECT_EQ(current.value, value_of(2));
    update.action = Update::Action::put;
    update.value = value_of(4);
    return {};
  };
  ASSERT_TRUE(engine_->update({kSpace, key_of(4)}, count_up));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(get(i, snapshot.get()), value_of(1)) << i;
    EXPECT_EQ(get(i), value_of(i == 3 || i == 4 ? i : 2)) << i;
  }
}

// An update's function may use the store, the same update too.
TEST_F(InPlace, UpdatesWithinUpdates) {
  put_all(3, 0);
  const auto set = [this](int key, int counter, auto within) {
    const auto function = [&](const Current& current, Update& update) -> Result<> {
      const Bytes seen(current.value);
      within();
      EXPECT_EQ(current.value, seen);  // it is this update's own
      update.action = Update::Action::put;
      update.value = value_of(counter);
      return {};
    };
    ASSERT_TRUE(engine_->update({kSpace, key_of(key)}, function));
  };
  set(0, 1, [&] { set(1, 2, [&] { set(2, 3, [] {}); }); });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(i), value_of(i + 1));
  // What the function itself writes to its key counts, and it is called again.
  int calls = 0;
  set(0, 9, [&] {
    if (++calls == 1) put_all(1, 8);
  });
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(get(0), value_of(9));
}

// Writes in place do no upkeep; the store's own thread does.
TEST_F(InPlace, WhatExpiresIsRemovedMeanwhile) {
  put_all(20, 0);
  RecordAttributes expiring;
  expiring.expires_ms = base::system_clock().wall_ms() + 20;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(engine_->put({kSpace, "short-lived " + std::to_string(i)}, value_of(i), expiring));
  }
  const auto expiring_now = [this] {
    for (const Stats::Figure& figure : engine_->stats().more) {
      if (figure.name == "expiring") return figure.value;
    }
    return -1.0;
  };
  // Bounded by the test's own limit of time.
  for (int n = 1; expiring_now() != 0; ++n) {
    put_all(20, n);
    // While they are being removed, too.
    const bool expired = base::system_clock().wall_ms() >= expiring.expires_ms;
    const std::uint64_t count = *engine_->count(kSpace);
    EXPECT_LE(count, expired ? 20u : 70u);
    EXPECT_GE(count, 20u);
  }
  EXPECT_EQ(*engine_->count(kSpace), 20u);
  EXPECT_TRUE(engine_->check_invariants());
}

TEST_F(InPlace, ManyThreadsSeeBatchesWhole) {
  constexpr int kKeys = 40;
  constexpr int kBatches = 3000;
  put_all(kKeys, 0);
  std::atomic<int> writing{2};
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (int w = 0; w < 2; ++w) {
    threads.emplace_back([&, w] {
      WriteBatch batch;
      for (int n = 0; n < kBatches; ++n) {
        batch.clear();
        // In the opposite order: who waited for buckets would have to sort them.
        for (int i = 0; i < kKeys; ++i) {
          batch.put({kSpace, key_of(w == 0 ? i : kKeys - 1 - i)}, value_of(2 * n + w));
        }
        if (!engine_->commit(batch)) torn += 1000;
      }
      --writing;
    });
  }
  threads.emplace_back([&] {
    std::vector<Bytes> keys;
    for (int i = 0; i < kKeys; ++i) keys.push_back(key_of(i));
    std::vector<Read> reads(kKeys);
    for (std::size_t i = 0; i < reads.size(); ++i) reads[i].key = {kSpace, keys[i]};
    while (writing != 0) {
      if (!engine_->mget(reads)) torn += 1000;
      for (const Read& read : reads) {
        if (read.value.view() != reads[0].value.view() ||
            read.info.value().version != reads[0].info.value().version) {
          ++torn;
        }
      }
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
  EXPECT_TRUE(engine_->check_invariants());
}

}  // namespace
}  // namespace strata::backends::hybridlog
