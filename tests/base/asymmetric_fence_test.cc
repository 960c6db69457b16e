#include "base/asymmetric_fence.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>

namespace strata::base {
namespace {

TEST(AsymmetricFence, OneOfTheTwoSeesTheOther) {
  if (!asymmetric_fences()) GTEST_SKIP() << "the system has none, or a sanitizer runs";
  constexpr int kRounds = 3000;
  std::atomic<int> flag{0};
  std::atomic<int> closed{0};
  int reader_saw = 0;
  int closer_saw = 0;
  int missed = 0;
  std::barrier together(2, [&, round = 0]() mutable noexcept {
    // Every other time both are through: judged, and begun anew.
    if (++round % 2 != 0) return;
    if (reader_saw == 0 && closer_saw == 0) ++missed;
    flag.store(0);
    closed.store(0);
  });
  std::jthread reader([&] {
    for (int i = 0; i < kRounds; ++i) {
      together.arrive_and_wait();
      flag.store(1, std::memory_order_relaxed);
      light_fence();
      reader_saw = closed.load(std::memory_order_relaxed);
      together.arrive_and_wait();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    together.arrive_and_wait();
    closed.store(1, std::memory_order_relaxed);
    heavy_fence();
    closer_saw = flag.load(std::memory_order_relaxed);
    together.arrive_and_wait();
  }
  reader.join();
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace strata::base
