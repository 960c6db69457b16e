// What the consistency tests share: the seed, how long to run, threads that fail together.
//
// STRATA_SEED=n sets the seed of all choices (the threads still meet as they like), STRATA_STRESS=n
// makes the tests n times as long, STRATA_TEST_SHORT makes them short.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "conformance/subject.h"
#include "strata/bytes.h"
#include "strata/record.h"

namespace strata::consistency {

/// What a record holds and which write made it so.
struct Stored {
  Bytes value;
  Version version;
  friend bool operator==(const Stored&, const Stored&) = default;
};

/// An update function that runs so often does so for ever.
inline constexpr int kRunsMax = 100'000;

/// Ends the work of a thread: what it saw must not be.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

inline std::uint64_t seed() { return number_from("STRATA_SEED", 1); }

/// The message of every failure that a seed is part of.
inline std::string replay() { return "STRATA_SEED=" + std::to_string(seed()); }

/// How often to do what is usually done `usual` times.
inline int scaled(int usual) {
  const int times = static_cast<int>(number_from("STRATA_STRESS", 1));
  const bool brief = std::getenv("STRATA_TEST_SHORT") != nullptr;
  return std::max(1, usual * times / (brief ? 8 : 1));
}

/// How much slower than memory an engine is that keeps what is written, very roughly.
inline int cost(const conformance::Subject& subject) {
  return subject.limits.durability_max == Durability::none ? 1 : 4;
}

/// A few bytes of a value, enough to tell it from others.
inline std::string brief(BytesView value) {
  constexpr std::size_t kShown = 24;
  if (value.size() <= kShown) return '"' + std::string(value) + '"';
  return '"' + std::string(value.substr(0, kShown)) + "...\" (" + std::to_string(value.size()) +
         ")";
}

/// Threads that begin together. One that throws fails the test, and the others see broken().
class Team {
 public:
  /// Runs work(0) to work(threads - 1) until all have ended.
  template <class Work>
  void run(int threads, Work work) {
    std::vector<std::thread> started;
    std::atomic<int> arrived{0};  // relaxed: only lets them begin together
    for (int i = 0; i < threads; ++i) {
      started.emplace_back([&, i] {
        arrived.fetch_add(1, std::memory_order_relaxed);
        while (arrived.load(std::memory_order_relaxed) < threads) std::this_thread::yield();
        try {
          work(i);
        } catch (const std::exception& failure) {
          ADD_FAILURE() << "thread " << i << ": " << failure.what() << "; " << replay();
          broken_.store(true, std::memory_order_relaxed);
        }
      });
    }
    for (std::thread& thread : started) thread.join();
  }

  bool broken() const { return broken_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> broken_{false};  // relaxed: ends the others soon
};

}  // namespace strata::consistency
