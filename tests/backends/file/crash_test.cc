// Crashes of the machine at every point of the file store's protocol.
//
// A run does random writes on a simulated disk until the machine goes down before its n-th change
// of the disk, loses what a disk may lose, and comes up again, sometimes to go down once more while
// the store recovers. Then every record must be one that it may be: what was acknowledged as
// durable is there, what was not is old or new, nothing is damaged, and counts and scans agree.
// A course of writes follows from its seed; all its crash points are gone through one by one.
// STRATA_CRASH_RUNS asks for more runs than the usual ones.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "backends/file/broken_file_system.h"
#include "backends/file/file_engine.h"
#include "base/random.h"
#include "io/sim_file_system.h"

namespace strata::backends::file {
namespace {

constexpr Keyspace kSpace{16};
constexpr int kKeys = 4;
constexpr int kWrites = 12;
constexpr std::uint64_t kRunsUsual = 1000;

using State = std::optional<Bytes>;  // nothing: absent

std::string key_name(int i) { return "key/" + std::to_string(i); }

/// What each record may be after a crash.
class Model {
 public:
  Model() : possible_(kKeys, {State{}}) {}
  const State& now(int key) const { return possible_[index(key)].back(); }
  /// A write that may or may not be there after a crash.
  void may(int key, State state) { possible_[index(key)].push_back(std::move(state)); }
  /// The last write of the key will be there.
  void durable(int key) {
    std::vector<State>& states = possible_[index(key)];
    states.erase(states.begin(), states.end() - 1);
  }
  void all_durable() {
    for (int key = 0; key < kKeys; ++key) durable(key);
  }
  bool allows(int key, const State& state) const {
    const std::vector<State>& states = possible_[index(key)];
    return std::ranges::find(states, state) != states.end();
  }

 private:
  static std::size_t index(int key) { return static_cast<std::size_t>(key); }
  std::vector<std::vector<State>> possible_;
};

struct Plan {
  std::uint64_t seed = 0;
  std::uint64_t crash_after = UINT64_MAX;  ///< changes of the disk; UINT64_MAX: none
  bool only_commit = true;                 ///< else all durabilities
  Mistake mistake = Mistake::none;
};

class Run {
 public:
  explicit Run(const Plan& plan)
      : plan_(plan),
        random_(plan.seed),
        sim_(base::mix64(plan.seed) ^ plan.crash_after, clock_),
        files_(sim_, plan.mistake) {}

  /// Changes of the disk that the whole course makes.
  std::uint64_t length() {
    write();
    return sim_.mutating_calls();
  }

  /// What is wrong after the crash; empty: nothing.
  std::string check() {
    sim_.crash_after(plan_.crash_after);
    write();
    engine_.reset();
    sim_.crash();
    base::Random again(plan_.seed ^ plan_.crash_after);
    if (again.one_in(2)) {  // and once more, during recovery
      sim_.crash_after(again.uniform(12));
      if (open()) {
        Value value;
        for (int key = 0; key < kKeys; ++key) std::ignore = engine_->get(at(key), value);
        std::ignore = engine_->count(kSpace);
      }
      engine_.reset();
      sim_.crash();
      closed_ = true;
    }
    return verify();
  }

 private:
  KeyRef at(int key) {
    name_ = key_name(key);
    return {kSpace, name_};
  }

  Result<> open() {
    engine_.reset();
    STRATA_LET(engine_, FileEngine::open(files_, clock_,
                                         {.root = "store", .durability = Durability::commit}));
    return {};
  }

  void write() {
    if (!open()) return;
    for (int i = 0; i < kWrites; ++i) {
      if (!plan_.only_commit && random_.one_in(6) && !upkeep()) return;
      if (!write_one(i)) return;
    }
  }

  bool upkeep() {
    if (random_.one_in(2)) {
      clock_.advance_ms(Records::kNoneSettlesMs);
      if (!engine_->maintain(1000)) return false;
    } else {
      closed_ = true;
      if (!engine_->close()) return false;
      if (!open()) return false;
    }
    model_.all_durable();
    return true;
  }

  bool write_one(int number) {
    const int key = static_cast<int>(random_.uniform(kKeys));
    const Bytes fresh =
        fmt::format("{}:", number) +
        Bytes(static_cast<std::size_t>(random_.uniform(2500)), static_cast<char>('a' + number));
    WriteBatch batch;
    State next = model_.now(key);
    switch (random_.uniform(8)) {
      case 0:
      case 1:
        batch.remove(at(key));
        next.reset();
        break;
      case 2:
        batch.append(at(key), fresh);
        next = next.value_or("") + fresh;
        break;
      case 3:
        batch.expire(at(key), clock_.wall_ms() + 1'000'000'000);
        break;
      default:
        batch.put(at(key), fresh);
        next = fresh;
    }
    constexpr Durability kAll[] = {Durability::commit, Durability::interval, Durability::none};
    const Durability durability = plan_.only_commit ? Durability::commit : kAll[random_.uniform(3)];
    model_.may(key, next);
    const Result<Commit> done = engine_->commit(batch, {.durability = durability});
    if (done && durability == Durability::commit) model_.durable(key);
    return done.has_value();
  }

  std::string verify() {
    if (const Result<> opened = open(); !opened) {
      return "the store does not open: " + opened.error().to_string();
    }
    std::set<Bytes> there;
    for (int key = 0; key < kKeys; ++key) {
      Value value;
      const Result<std::optional<RecordInfo>> info = engine_->get(at(key), value);
      if (!info) return info.error().to_string();
      const State state = *info ? State(value.to_bytes()) : State{};
      if (!model_.allows(key, state)) {
        return fmt::format(
            "{} is {}", key_name(key),
            state ? fmt::format("{}... of {} bytes", state->substr(0, 4), state->size())
                  : "absent");
      }
      if (state) there.insert(key_name(key));
    }
    const Result<std::uint64_t> count = engine_->count(kSpace);
    if (!count) return count.error().to_string();
    if (*count != there.size()) return fmt::format("it counts {} of {}", *count, there.size());
    return verify_whole(there);
  }

  std::string verify_whole(const std::set<Bytes>& there) {
    std::set<Bytes> scanned;
    Bytes cursor;
    ScanPage page;
    do {
      const Result<> step = engine_->scan_some(kSpace, cursor, {}, page);
      if (!step) return step.error().to_string();
      for (std::size_t i = 0; i < page.size(); ++i) scanned.emplace(page[i].key);
    } while (!cursor.empty());
    if (scanned != there) return fmt::format("a scan gives {} keys", scanned.size());
    while (true) {
      const Result<Maintenance> step = engine_->maintain(1000);
      if (!step) return step.error().to_string();
      if (!step->more) break;
    }
    for (const Stats::Figure& figure : engine_->stats().more) {
      // What a store removed just before it was closed may come back: nobody looks for it then.
      const bool must_be_none = figure.name == "damaged" || (figure.name == "orphans" && !closed_);
      if (must_be_none && figure.value != 0) {
        return fmt::format("{} {} left", figure.value, figure.name);
      }
    }
    const Result<Version> written = engine_->put(at(0), "after");
    if (!written) return written.error().to_string();
    const Result<> closed = engine_->close();
    return closed ? "" : closed.error().to_string();
  }

  const Plan plan_;
  base::Random random_;
  base::SimClock clock_;
  io::SimFileSystem sim_;
  BrokenFileSystem files_;
  Model model_;
  std::string name_;
  bool closed_ = false;  ///< the store was closed, or may have been
  std::unique_ptr<Engine> engine_;
};

/// Goes through crash points of one course after the other until `runs` were done, or `stop` says
/// so about an outcome.
void crash_runs(Plan plan, std::uint64_t runs,
                const std::function<bool(const Plan&, const std::string& wrong)>& stop) {
  for (std::uint64_t done = 0; done < runs; ++plan.seed) {
    plan.crash_after = UINT64_MAX;
    const std::uint64_t length = Run(plan).length();
    for (std::uint64_t point = 0; point < length && done < runs; ++point, ++done) {
      plan.crash_after = point;
      if (stop(plan, Run(plan).check())) return;
    }
  }
}

std::uint64_t runs_wanted() {
  const char* const asked = std::getenv("STRATA_CRASH_RUNS");
  return asked == nullptr ? kRunsUsual
                          : std::max<std::uint64_t>(std::strtoull(asked, nullptr, 10), 1);
}

void expect_no_run_fails(Plan plan) {
  crash_runs(plan, runs_wanted(), [](const Plan& at, const std::string& wrong) {
    EXPECT_EQ(wrong, "") << "seed " << at.seed << ", crash after " << at.crash_after;
    return !wrong.empty();
  });
}

TEST(FileCrash, EveryAcknowledgedWriteIsThereAndNoRecordIsHalf) {
  expect_no_run_fails({.seed = 20261121, .only_commit = true});
}

TEST(FileCrash, NoDurabilityLeavesAnythingButAnEarlierState) {
  expect_no_run_fails({.seed = 777, .only_commit = false});
}

class FileCrashMistake : public testing::TestWithParam<Mistake> {};

TEST_P(FileCrashMistake, IsCaught) {
  std::string found;
  crash_runs({.seed = 1, .only_commit = true, .mistake = GetParam()}, kRunsUsual,
             [&](const Plan&, const std::string& wrong) {
               found = wrong;
               return !wrong.empty();
             });
  EXPECT_NE(found, "") << "no crash run noticed it";
}

std::string mistake_name(const testing::TestParamInfo<Mistake>& info) {
  constexpr const char* kNames[] = {"None", "NoValueSync", "NoSidecarSync", "NoFolderSync",
                                    "SidecarFirst"};
  return kNames[static_cast<std::size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Planted, FileCrashMistake,
                         testing::Values(Mistake::no_value_sync, Mistake::no_sidecar_sync,
                                         Mistake::no_folder_sync, Mistake::sidecar_first),
                         mistake_name);

}  // namespace
}  // namespace strata::backends::file
