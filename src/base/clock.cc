// The machine's clock, and the one that tests turn by hand.
#include "base/clock.h"

#include <ctime>

#include "base/check.h"

namespace strata::base {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const noexcept override { return read_ns(CLOCK_REALTIME) / kNsPerMs; }
  std::int64_t monotonic_ns() const noexcept override { return read_ns(CLOCK_MONOTONIC); }

  void sleep_ns(std::int64_t ns) override {
    if (ns <= 0) return;
    timespec left{ns / kNsPerSecond, ns % kNsPerSecond};
    while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) != 0) {
    }
  }

 private:
  static std::int64_t read_ns(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return now.tv_sec * kNsPerSecond + now.tv_nsec;
  }
};

}  // namespace

Clock& system_clock() noexcept {
  static SystemClock clock;
  return clock;
}

SimClock::SimClock(std::int64_t wall_ms) noexcept : wall_offset_ns_(wall_ms * kNsPerMs) {}

std::int64_t SimClock::wall_ms() const noexcept {
  const std::int64_t ns = wall_offset_ns_.load(std::memory_order_relaxed) + monotonic_ns();
  return ns / kNsPerMs;
}

std::int64_t SimClock::monotonic_ns() const noexcept {
  return monotonic_ns_.load(std::memory_order_relaxed);
}

void SimClock::sleep_ns(std::int64_t ns) {
  if (ns > 0) advance_ns(ns);
}

void SimClock::advance_ns(std::int64_t ns) noexcept {
  STRATA_CHECK(ns >= 0);
  monotonic_ns_.fetch_add(ns, std::memory_order_relaxed);
}

void SimClock::set_wall_ms(std::int64_t wall_ms) noexcept {
  wall_offset_ns_.store(wall_ms * kNsPerMs - monotonic_ns(), std::memory_order_relaxed);
}

}  // namespace strata::base
