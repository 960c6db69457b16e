// Clock: where all time comes from, so that a test can hold it, turn it and jump it.
//
// Threads: every member of every clock may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace strata::base {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970-01-01 UTC. May jump either way when the machine's clock is set.
  virtual std::int64_t wall_ms() const noexcept = 0;
  /// Nanoseconds since some fixed moment. Never goes back.
  virtual std::int64_t monotonic_ns() const noexcept = 0;
  /// Returns after `ns` nanoseconds of this clock; at once when `ns` <= 0.
  virtual void sleep_ns(std::int64_t ns) = 0;

  std::int64_t monotonic_ms() const noexcept { return monotonic_ns() / 1'000'000; }
  void sleep_ms(std::int64_t ms) { sleep_ns(ms * 1'000'000); }
};

/// The machine's clock. It has no state, and lives as long as the program.
Clock& system_clock() noexcept;

/// A clock that stands still until somebody moves it. sleep_ns() moves it and returns at once.
class SimClock final : public Clock {
 public:
  /// 2024-01-01 00:00:00 UTC, unless told otherwise.
  explicit SimClock(std::int64_t wall_ms = 1'704'067'200'000) noexcept;

  std::int64_t wall_ms() const noexcept override;
  std::int64_t monotonic_ns() const noexcept override;
  void sleep_ns(std::int64_t ns) override;

  /// Moves both times on. `ns` must not be negative.
  void advance_ns(std::int64_t ns) noexcept;
  void advance_ms(std::int64_t ms) noexcept { advance_ns(ms * 1'000'000); }
  /// Sets the wall time only, as an operator or NTP does: it may go back.
  void set_wall_ms(std::int64_t wall_ms) noexcept;

 private:
  // Both relaxed: times order nothing else. wall = offset + monotonic.
  std::atomic<std::int64_t> monotonic_ns_{0};
  std::atomic<std::int64_t> wall_offset_ns_;
};

}  // namespace strata::base
