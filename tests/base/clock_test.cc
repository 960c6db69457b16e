// The machine's clock goes on; the simulated one only when told to.
#include "base/clock.h"

#include <gtest/gtest.h>

namespace strata::base {
namespace {

TEST(SystemClock, NeverGoesBackAndSleepsAtLeastAsLongAsAsked) {
  Clock& clock = system_clock();
  const std::int64_t before = clock.monotonic_ns();
  clock.sleep_ms(2);
  EXPECT_GE(clock.monotonic_ns() - before, 2'000'000);
  EXPECT_GT(clock.wall_ms(), 1'600'000'000'000);
}

TEST(SimClock, MovesOnlyWhenToldTo) {
  SimClock clock(5'000);
  EXPECT_EQ(clock.wall_ms(), 5'000);
  EXPECT_EQ(clock.monotonic_ns(), 0);
  clock.advance_ms(250);
  EXPECT_EQ(clock.wall_ms(), 5'250);
  EXPECT_EQ(clock.monotonic_ms(), 250);
  clock.sleep_ms(10);
  EXPECT_EQ(clock.wall_ms(), 5'260);
}

TEST(SimClock, WallTimeMayJumpBackWhileMonotonicTimeStays) {
  SimClock clock(5'000);
  clock.advance_ms(100);
  clock.set_wall_ms(1'000);
  EXPECT_EQ(clock.wall_ms(), 1'000);
  EXPECT_EQ(clock.monotonic_ms(), 100);
  clock.advance_ms(1);
  EXPECT_EQ(clock.wall_ms(), 1'001);
}

TEST(SimClockDeathTest, RefusesToGoBack) {
  SimClock clock;
  EXPECT_DEATH(clock.advance_ns(-1), "clock.cc:[0-9]+: check failed: ns >= 0");
}

}  // namespace
}  // namespace strata::base
