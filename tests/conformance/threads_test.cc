// What holds while several threads work on one engine. Rounds are counted, never timed.
#include <algorithm>
#include <atomic>
#include <thread>

#include "conformance/fixture.h"

namespace strata::conformance {
namespace {

/// The number that a record holds.
int number(BytesView bytes) { return bytes.empty() ? 0 : std::stoi(Bytes(bytes)); }

class Threads : public Conformance {
 protected:
  static constexpr int kRounds = kSlowBuild ? 100 : 400;

  /// Runs `work(0)` to `work(count - 1)`, each in a thread of its own, until all have ended.
  template <class Work>
  static void together(int count, Work work) {
    std::vector<std::thread> threads;
    std::atomic<int> arrived{0};  // relaxed: only lets them begin together
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        arrived.fetch_add(1, std::memory_order_relaxed);
        while (arrived.load(std::memory_order_relaxed) < count) std::this_thread::yield();
        work(i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};
INSTANTIATE_TEST_SUITE_P(Contract, Threads, testing::ValuesIn(subjects_here()), subject_name);

TEST_P(Threads, UpdatesOfOneKeyLoseNothing) {
  constexpr int kThreads = 4;
  together(kThreads, [&](int) {
    for (int i = 0; i < kRounds; ++i) {
      const auto done =
          engine().update(at("k"), [](const Current& current, Update& update) -> Result<> {
            update.action = Update::Action::put;
            update.value = std::to_string(number(current.value) + 1);
            return {};
          });
      ASSERT_TRUE(done.has_value()) << done.error().to_string();
    }
  });
  EXPECT_EQ(get("k"), std::to_string(kThreads * kRounds));
}

TEST_P(Threads, AppendsOfOneKeyLoseNothing) {
  constexpr int kThreads = 3;
  together(kThreads, [&](int thread) {
    const Bytes mine(1, static_cast<char>('a' + thread));
    for (int i = 0; i < kRounds; ++i) {
      WriteBatch batch;
      batch.append(at("k"), mine);
      ASSERT_TRUE(engine().commit(batch).has_value());
    }
  });
  const Bytes value = get("k").value_or("");
  EXPECT_EQ(value.size(), static_cast<std::size_t>(kThreads * kRounds));
  EXPECT_EQ(std::ranges::count(value, 'b'), kRounds);
}

TEST_P(Threads, OfManyWithOneConditionOnlyOneWins) {
  std::atomic<int> winners{0};  // relaxed: counted, read after the threads have ended
  together(4, [&](int) {
    for (int i = 0; i < kRounds; ++i) {
      WriteBatch batch;
      batch.require_absent(at("k" + std::to_string(i)));
      batch.put(at("k" + std::to_string(i)), "mine");
      const auto done = engine().commit(batch);
      ASSERT_TRUE(done.has_value());
      if (done->applied()) winners.fetch_add(1, std::memory_order_relaxed);
    }
  });
  EXPECT_EQ(winners.load(std::memory_order_relaxed), kRounds);
}

TEST_P(Threads, NoReadOfManySeesHalfABatch) {
  NEEDS(atomic_batch);
  std::atomic<bool> stop{false};  // relaxed: ends the writer soon
  std::thread writer([&] {
    for (int i = 1; !stop.load(std::memory_order_relaxed); ++i) {
      WriteBatch batch;
      for (const BytesView key : {"a", "b", "c", "d"}) batch.put(at(key), std::to_string(i));
      if (!engine().commit(batch)) break;
    }
  });
  together(2, [&](int) {
    std::vector<Read> reads(4);
    reads[0].key = at("a");
    reads[1].key = at("b");
    reads[2].key = at("c");
    reads[3].key = at("d");
    Version last;
    int changes = 0;
    for (int i = 0; i < 10 * kRounds || changes < 10; ++i) {
      ASSERT_TRUE(engine().mget(reads).has_value());
      for (const Read& read : reads) {
        ASSERT_EQ(read.value.view(), reads[0].value.view());
        ASSERT_EQ(read.info.has_value(), reads[0].info.has_value());
      }
      if (!reads[0].info) continue;
      ASSERT_GE(reads[0].info->version, last) << "a later read saw an older state";
      if (reads[0].info->version > last) ++changes;
      last = reads[0].info->version;
    }
  });
  stop.store(true, std::memory_order_relaxed);
  writer.join();
}

TEST_P(Threads, CursorScansFindWhatStaysWhileWritersRun) {
  constexpr int kStable = 100;
  for (int i = 0; i < kStable; ++i) put("stays" + std::to_string(i), "v");
  std::atomic<bool> stop{false};  // relaxed: ends the writers soon
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; !stop.load(std::memory_order_relaxed); ++i) {
        const Bytes key = (w == 0 ? "a" : "z") + std::to_string(i % 200);
        if (!engine().put(at(key), "v") || !engine().remove(at(key))) return;
        // Rewritten, but there all the time.
        if (!engine().put(at("stays" + std::to_string(i % kStable)), "w")) return;
      }
    });
  }
  for (int round = 0; round < 5; ++round) {
    CursorOptions options;
    options.count = 7;
    const auto seen = cursor_keys(options);
    for (int i = 0; i < kStable; ++i) {
      EXPECT_TRUE(seen.contains("stays" + std::to_string(i))) << i << " in round " << round;
    }
  }
  stop.store(true, std::memory_order_relaxed);
  for (std::thread& writer : writers) writer.join();
}

TEST_P(Threads, PagesAreConsistentWhileWritersRun) {
  NEEDS(ordered);
  NEEDS(atomic_batch);
  std::atomic<bool> stop{false};  // relaxed: ends the writer soon
  std::thread writer([&] {
    // One record moves back and forth: a page shows it exactly once.
    for (int i = 0; !stop.load(std::memory_order_relaxed); ++i) {
      WriteBatch batch;
      batch.remove(at(i % 2 == 0 ? "left" : "right"));
      batch.put(at(i % 2 == 0 ? "right" : "left"), "v");
      if (!engine().commit(batch)) return;
    }
  });
  while (count() == 0) std::this_thread::yield();
  for (int i = 0; i < kRounds; ++i) EXPECT_EQ(keys(Range::all(kSpace)).size(), 1u);
  stop.store(true, std::memory_order_relaxed);
  writer.join();
}

TEST_P(Threads, WritersOfDifferentKeysDoNotDisturbEachOther) {
  together(4, [&](int thread) {
    for (int i = 0; i < kRounds; ++i) {
      const Bytes key = std::to_string(thread) + ":" + std::to_string(i);
      const Bytes value(static_cast<std::size_t>(i) * 7, static_cast<char>('a' + thread));
      ASSERT_TRUE(engine().put(at(key), value).has_value());
      Value found;
      const auto info = engine().get(at(key), found);
      ASSERT_TRUE(info.has_value() && info->has_value());
      ASSERT_EQ(found.view(), value);
      if (i % 3 == 0) {
        ASSERT_TRUE(engine().remove(at(key)).has_value());
      }
    }
  });
  EXPECT_EQ(count(), 4u * static_cast<unsigned>(kRounds - (kRounds + 2) / 3));
}

}  // namespace
}  // namespace strata::conformance
