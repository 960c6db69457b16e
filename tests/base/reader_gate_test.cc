#include "base/reader_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace strata::base {
namespace {

TEST(ReaderGate, WhoIsAloneMeetsNobodyAndIsSeenByAllLater) {
  ReaderGate gate;
  // Plain memory: tsan sees what the gate does not order.
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::atomic<bool> ended{false};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!ended.load()) {
        const ReaderGate::Pass pass(gate);
        ASSERT_EQ(first, second);
      }
    });
  }
  std::vector<std::jthread> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        const ReaderGate::Alone alone(gate);
        ++first;
        std::this_thread::yield();
        ++second;
      }
    });
  }
  writers.clear();
  ended = true;
  readers.clear();
  EXPECT_EQ(first, 600U);
}

TEST(ReaderGate, WhoIsInsidePassesAgainWhileAnotherWaitsToBeAlone) {
  ReaderGate gate;
  std::atomic<bool> waits{false};
  std::atomic<bool> was_alone{false};
  std::jthread other;
  {
    const ReaderGate::Pass pass(gate);
    other = std::jthread([&] {
      waits = true;
      const ReaderGate::Alone alone(gate);
      was_alone = true;
    });
    while (!waits) std::this_thread::yield();
    // Until the gate is closed, surely or not: it must open in either case.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    {
      const ReaderGate::Pass again(gate);
    }
    EXPECT_FALSE(was_alone.load()) << "the outer pass still holds";
  }
  other.join();
  EXPECT_TRUE(was_alone.load());
}

TEST(ReaderGate, NumbersOfThreadsThatEndedAreUsedAgain) {
  ReaderGate gate;
  for (int i = 0; i < 50; ++i) {
    std::jthread([&] { const ReaderGate::Pass pass(gate); }).join();
  }
  const ReaderGate::Alone alone(gate);
}

}  // namespace
}  // namespace strata::base
