// Meters: the counters of one metrics layer, and how a call is counted and sometimes timed.
//
// Cost: about 1 ns a counter (its cells are the thread's own); one call in kTimedOneIn also reads
//       the clock twice. Which one is drawn, so that no rhythm of calls hides one of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/counters.h"
#include "layers/metrics/metrics.h"
#include "strata/result.h"

namespace strata::layers::metrics {

class Meters {
 public:
  /// Code::quota when the registry is full. Borrows both.
  static Result<std::unique_ptr<Meters>> make(base::MetricRegistry& registry,
                                              const base::Clock& clock);

  /// The beginning of a call: a time, or kUntimed.
  std::int64_t start() const noexcept {
    constexpr int kDrawnBits = 6;
    static_assert(kTimedOneIn == 1u << kDrawnBits);
    draw_ = draw_ * 6364136223846793005u + 1442695040888963407u;
    return draw_ >> (64 - kDrawnBits) == 0 ? clock_.monotonic_ns() : kUntimed;
  }
  /// Its end.
  template <class T>
  void end(Operation operation, std::int64_t started_ns, const Result<T>& result) noexcept {
    Meter& meter = meters_[static_cast<std::size_t>(operation)];
    meter.calls.add();
    if (started_ns != kUntimed) record(meter, started_ns);
    if (!result) [[unlikely]]
      errors_[static_cast<std::size_t>(result.error().code())].add();
  }
  void wrote(std::uint64_t bytes) noexcept { bytes_in_.add(bytes); }
  void read(std::uint64_t bytes) noexcept { bytes_out_.add(bytes); }
  void looked_up(std::uint64_t found, std::uint64_t absent) noexcept {
    if (found != 0) keys_found_.add(found);
    if (absent != 0) keys_absent_.add(absent);
  }
  void refused() noexcept { refused_.add(); }

  MetricsReport report() const;

 private:
  static constexpr std::int64_t kUntimed = -1;
  struct Meter {
    base::Counter calls;
    base::Recorder latency_ns;
  };
  explicit Meters(const base::Clock& clock) : clock_(clock) {}
  void record(Meter& meter, std::int64_t started_ns) noexcept;

  static thread_local std::uint64_t draw_;
  const base::Clock& clock_;
  std::array<Meter, kOperations> meters_;
  std::array<base::Counter, kCodes> errors_;
  base::Counter bytes_in_;
  base::Counter bytes_out_;
  base::Counter keys_found_;
  base::Counter keys_absent_;
  base::Counter refused_;
};

}  // namespace strata::layers::metrics
