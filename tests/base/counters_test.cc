// Counting from many threads; run under the thread sanitizer.
#include "base/counters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"

namespace strata::base {
namespace {

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

Counts counts_of(const MetricRegistry& registry) {
  Counts counts;
  registry.visit([&](const std::string& name, std::uint64_t n) { counts.emplace_back(name, n); },
                 [&](const std::string& name, const Histogram& histogram) {
                   counts.emplace_back(name, histogram.count());
                 });
  return counts;
}

/// Runs `body` in `count` threads at once: none ends before all have begun.
template <class Body>
void in_threads(int count, const Body& body) {
  Mutex mutex;
  CondVar changed;
  int begun = 0;
  std::vector<Thread> threads;
  for (int i = 0; i < count; ++i) {
    auto thread = Thread::start("counting", [&] {
      body();
      const MutexLock lock(mutex);
      ++begun;
      changed.notify_all();
      while (begun < count) changed.wait(mutex);
    });
    ASSERT_TRUE(thread);
    threads.push_back(*std::move(thread));
  }
}

TEST(Counter, CountsOfManyThreadsAddUpAndOutliveThem) {
  MetricRegistry registry;
  Counter counter = *registry.counter("a");
  for (int round = 1; round <= 3; ++round) {
    in_threads(4, [&] {
      for (int i = 0; i < 10'000; ++i) counter.add();
    });
    EXPECT_EQ(counter.value(), static_cast<std::uint64_t>(round) * 40'000);
  }
  counter.add(5);
  EXPECT_EQ(counter.value(), 120'005U);
}

TEST(Counter, CanBeReadWhileOthersCount) {
  MetricRegistry registry;
  Counter counter = *registry.counter("a");
  Recorder recorder = *registry.recorder("b");
  auto thread = Thread::start("counting", [&] {
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      counter.add();
      recorder.record(i);
    }
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t now = counter.value();
    EXPECT_GE(now, last);
    last = now;
    EXPECT_LE(recorder.value().count(), 20'000U);
  }
  thread->join();
  EXPECT_EQ(counter.value(), 20'000U);
  EXPECT_EQ(recorder.value().count(), 20'000U);
}

TEST(Counter, CountsRightlyWithMoreThreadsThanSlots) {
  MetricRegistry registry;
  Counter counter = *registry.counter("a");
  Recorder recorder = *registry.recorder("b");
  constexpr int kThreads = static_cast<int>(MetricRegistry::kThreadsMax) + 20;
  in_threads(kThreads, [&] {
    for (std::uint64_t i = 0; i < 100; ++i) {
      counter.add();
      recorder.record(i);
    }
  });
  EXPECT_EQ(counter.value(), std::uint64_t{kThreads} * 100);
  EXPECT_EQ(recorder.value().count(), std::uint64_t{kThreads} * 100);
  EXPECT_EQ(recorder.value().sum(), std::uint64_t{kThreads} * 4950);
  EXPECT_EQ(recorder.value().max(), 99U);
}

TEST(Counter, IsZeroWhenItsCellsWereAnothersBefore) {
  MetricRegistry registry;
  for (int i = 0; i < 3; ++i) {
    Counter counter = *registry.counter("a");
    Recorder recorder = *registry.recorder("b");
    EXPECT_EQ(counter.value(), 0U);
    EXPECT_EQ(recorder.value().count(), 0U);
    EXPECT_EQ(recorder.value().max(), 0U);
    counter.add(7);
    recorder.record(7);
  }
  EXPECT_EQ(counts_of(registry), Counts());
}

TEST(Counter, MovesWithItsCount) {
  MetricRegistry registry;
  Counter a = *registry.counter("a");
  a.add(3);
  Counter b = std::move(a);
  EXPECT_EQ(b.value(), 3U);
  b = *registry.counter("b");
  EXPECT_EQ(counts_of(registry), (Counts{{"b", 0}}));
}

TEST(Recorder, GivesTheHistogramOfAllThreads) {
  MetricRegistry registry;
  Recorder recorder = *registry.recorder("latency");
  in_threads(4, [&] {
    for (std::uint64_t i = 1; i <= 1000; ++i) recorder.record(i * 1000);
  });
  const Histogram histogram = recorder.value();
  EXPECT_EQ(histogram.count(), 4000U);
  EXPECT_EQ(histogram.max(), 1'000'000U);
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5)), 500'000, 8'000);
}

TEST(MetricRegistry, ShowsEveryMetricInTheOrderOfMaking) {
  MetricRegistry registry;
  Counter a = *registry.counter("a");
  Recorder b = *registry.recorder("b");
  Counter c = *registry.counter("c");
  Counter again = *registry.counter("a");
  a.add(1);
  b.record(5);
  b.record(6);
  again.add(4);
  EXPECT_EQ(counts_of(registry), (Counts{{"a", 1}, {"b", 2}, {"c", 0}, {"a", 4}}));
}

TEST(MetricRegistry, RegistriesDoNotMixInOneThread) {
  MetricRegistry first;
  Counter a = *first.counter("a");
  for (int round = 0; round < 3; ++round) {
    MetricRegistry second;
    Counter b = *second.counter("b");
    for (int i = 0; i < 10; ++i) {
      a.add(1);
      b.add(2);
    }
    EXPECT_EQ(b.value(), 20U);
  }
  EXPECT_EQ(a.value(), 30U);
}

TEST(MetricRegistry, HasRoomForManyAndSaysWhenThereIsNoMore) {
  MetricRegistry registry;
  std::vector<Counter> counters;
  std::vector<Recorder> recorders;
  for (int i = 0; i < 5000; ++i) counters.push_back(*registry.counter("c"));
  for (;;) {
    auto recorder = registry.recorder("r");
    if (!recorder) {
      EXPECT_EQ(recorder.error().code(), Code::quota);
      break;
    }
    recorders.push_back(*std::move(recorder));
  }
  EXPECT_GT(recorders.size(), 500U);
  counters.front().add(1);
  counters.back().add(1);
  EXPECT_EQ(counters.front().value(), 1U);
  EXPECT_EQ(counters.back().value(), 1U);
  recorders.pop_back();
  EXPECT_TRUE(registry.recorder("r"));
}

TEST(MetricRegistry, TheGlobalOneIsTheSameEverywhere) {
  Counter counter = *global_metrics().counter("only here");
  counter.add(2);
  const Counts counts = counts_of(global_metrics());
  EXPECT_EQ(std::count(counts.begin(), counts.end(),
                       std::pair<std::string, std::uint64_t>("only here", 2)),
            1);
}

}  // namespace
}  // namespace strata::base
