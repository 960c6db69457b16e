// Crashes of the machine at every point of what the store does to its disk.
//
// A run does random writes, checkpoints, compactions and restarts on a simulated disk until the
// machine goes down before its n-th change of the disk, loses what a disk may lose, and comes up
// again, sometimes to go down once more while the store opens. Then the store must be exactly what
// it was after one of the writes, none before the last that was acknowledged as kept.
// A course follows from its seed; its crash points are gone through one by one.
// STRATA_CRASH_RUNS asks for more runs than the usual ones.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "backends/hybridlog/open_for_test.h"
#include "base/random.h"
#include "io/sim_file_system.h"
#include "strata/batch.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::backends::hybridlog {
namespace {

constexpr Keyspace kSpace{16};
constexpr std::uint64_t kKeys = 12;
constexpr int kSteps = 40;
#ifdef STRATA_SANITIZED
constexpr std::uint64_t kRunsUsual = 100;
#else
constexpr std::uint64_t kRunsUsual = 300;
#endif
constexpr std::int64_t kIntervalMs = 1000;

using Model = std::map<Bytes, Bytes>;

class Course {
 public:
  Course(std::uint64_t seed, std::uint64_t crash_after)
      : random_(seed), sim_(base::mix64(seed) ^ crash_after, clock_), crash_after_(crash_after) {
    states_.emplace_back();
  }

  /// Changes of the disk that the whole course makes.
  std::uint64_t length() {
    write();
    return sim_.mutating_calls();
  }

  /// What is wrong after the crash; empty: nothing.
  std::string check() {
    sim_.crash_after(crash_after_);
    write();
    engine_.reset();
    sim_.crash();
    if (base::Random(crash_after_).one_in(2)) {
      sim_.crash_after(crash_after_ % 7);
      static_cast<void>(open().has_value());
      engine_.reset();
      sim_.crash();
    }
    return verify();
  }

 private:
  Result<> open() {
    STRATA_LET(engine_, open_for_test({.files = sim_,
                                       .clock = clock_,
                                       .folder = "store",
                                       .durability = Durability::interval,
                                       .interval_ms = kIntervalMs,
                                       .memory_bytes = 1},
                                      {{"upkeep_thread", "false"}}));
    return {};
  }

  void write() {
    if (!open()) return;
    for (int step = 0; step < kSteps; ++step) {
      if (!one_step(step)) return;
      clock_.advance_ms(static_cast<std::int64_t>(random_.uniform(kIntervalMs / 2)));
      if (!engine_->maintain(100)) return;
    }
  }

  bool one_step(int step) {
    const std::uint64_t choice = random_.uniform(20);
    if (choice == 0) {
      if (!engine_->close() || !(kept_ = states_.size() - 1, open())) return false;
    } else if (choice == 1) {
      if (!engine_->as<Persistence>()->compact()) return false;
      kept_ = states_.size() - 1;
    } else {
      return write_some(step);
    }
    return true;
  }

  bool write_some(int step) {
    Model next = states_.back();
    WriteBatch batch;
    for (std::uint64_t n = random_.between(1, 3); n > 0; --n) {
      const Bytes key = fmt::format("key/{}", random_.uniform(kKeys));
      if (random_.one_in(4)) {
        batch.remove({kSpace, key});
        next.erase(key);
        continue;
      }
      const std::uint64_t bytes = random_.uniform(random_.one_in(10) ? 150'000 : 3000);
      next[key] = fmt::format("{}:", step) +
                  Bytes(static_cast<std::size_t>(bytes), static_cast<char>('a' + step % 26));
      batch.put({kSpace, key}, next[key]);
    }
    if (!engine_->commit(batch)) return false;
    states_.push_back(std::move(next));
    return true;
  }

  std::string verify() {
    if (const Result<> opened = open(); !opened) {
      // Before its first manifest was durable there was no store.
      return kept_ == 0 && states_.size() == 1 ? ""
                                               : "it does not open: " + opened.error().to_string();
    }
    Model now;
    ScanPage page;
    const Result<> scanned =
        for_each(*engine_->as<Ordered>(), Range::all(kSpace), {}, [&](const ScanEntry& entry) {
          now.emplace(entry.key, entry.value);
          return true;
        });
    if (!scanned) return "a scan fails: " + scanned.error().to_string();
    const Result<std::uint64_t> count = engine_->count(kSpace);
    if (!count || *count != now.size()) return "count and scan differ";
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      const Bytes key = fmt::format("key/{}", i);
      Value value;
      const auto found = engine_->get({kSpace, key}, value, {});
      if (!found) return "a get fails: " + found.error().to_string();
      const auto there = now.find(key);
      if (found->has_value() != (there != now.end())) return "get and scan differ";
      if (*found && value.view() != there->second) return "get and scan give two values";
    }
    const auto from = states_.begin() + static_cast<std::ptrdiff_t>(kept_);
    if (std::find(from, states_.end(), now) == states_.end()) {
      const bool older = std::find(states_.begin(), from, now) != from;
      return older ? "what was kept is lost" : "it never was like this";
    }
    if (!engine_->close()) return "it does not close";
    return "";
  }

  base::Random random_;
  base::SimClock clock_;
  io::SimFileSystem sim_;
  const std::uint64_t crash_after_;
  std::vector<Model> states_;  ///< after each write
  std::size_t kept_ = 0;       ///< the last state that was acknowledged as durable
  std::unique_ptr<Engine> engine_;
};

std::uint64_t runs_wanted() {
  const char* const asked = std::getenv("STRATA_CRASH_RUNS");
  return asked == nullptr ? kRunsUsual : std::strtoull(asked, nullptr, 10);
}

TEST(HybridlogCrash, LeavesTheStoreAsItWasAfterAWrite) {
  const char* const replay = std::getenv("STRATA_SEED");
  std::uint64_t seed = replay == nullptr ? 1 : std::strtoull(replay, nullptr, 10);
  for (std::uint64_t runs = 0; runs < runs_wanted(); ++seed) {
    const std::uint64_t length = Course(seed, UINT64_MAX).length();
    ASSERT_GT(length, 20u);
    const std::uint64_t stride = 1 + length / 25;
    for (std::uint64_t at = seed % stride; at < length; at += stride, ++runs) {
      const std::string wrong = Course(seed, at).check();
      ASSERT_EQ(wrong, "") << "STRATA_SEED=" << seed << ", crash after " << at << " changes";
    }
  }
}

}  // namespace
}  // namespace strata::backends::hybridlog
