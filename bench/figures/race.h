// race(): some threads that work for a time, and the owner's upkeep beside them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "must.h"
#include "report.h"
#include "strata/engine.h"

namespace strata::bench {

struct Raced {
  std::uint64_t operations = 0;
  double per_second = 0;
};

/// Runs `work(thread, stop)`, which gives how many operations it did, on `threads` threads for
/// `run_ms`. `engine` (may be null) is maintained ten times a second meanwhile, as its owner does.
template <class Work>
Raced race(Engine* engine, unsigned threads, std::int64_t run_ms, Work work) {
  std::atomic<bool> stop{false};  // relaxed: joining the threads orders the rest
  std::vector<std::uint64_t> done(threads);
  std::vector<std::thread> running;
  const std::int64_t start_ns = base::system_clock().monotonic_ns();
  for (unsigned t = 0; t < threads; ++t) {
    running.emplace_back([&, t] { done[t] = work(t, stop); });
  }
  for (std::int64_t left = run_ms; left > 0;
       left = run_ms - static_cast<std::int64_t>(seconds_since(start_ns) * 1000)) {
    base::system_clock().sleep_ms(std::min<std::int64_t>(left, 100));
    if (engine != nullptr) must(engine->maintain(1000));
  }
  stop.store(true, std::memory_order_relaxed);
  for (std::thread& thread : running) thread.join();
  Raced raced;
  for (const std::uint64_t each : done) raced.operations += each;
  raced.per_second = static_cast<double>(raced.operations) / seconds_since(start_ns);
  return raced;
}

}  // namespace strata::bench
