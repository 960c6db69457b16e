// What snapshots show while writers run: sums that are kept, rings that stay rings, exactly the
// writes of their time, and the same at every later look.
#include <array>
#include <deque>

#include "base/random.h"
#include "conformance/fixture.h"
#include "consistency/view.h"

namespace strata::consistency {
namespace {

/// Counts a writer as gone, however it ends.
class Leave {
 public:
  explicit Leave(std::atomic<int>& here) : here_(here) {}
  ~Leave() { here_.fetch_sub(1, std::memory_order_relaxed); }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

 private:
  std::atomic<int>& here_;
};

/// A snapshot and what it showed when it was new.
struct Held {
  std::unique_ptr<Snapshot> snapshot;
  View view;
};

class SnapshotViews : public conformance::Conformance {
 protected:
  static constexpr int kWriters = 2;
  static constexpr int kThreads = 4;  // the others read

  /// How often a writer writes.
  static int writes(int usual) {
    return scaled(usual / cost(GetParam()) / (conformance::kSlowBuild ? 4 : 1));
  }

  static base::Random random_of(int thread) {
    return base::Random(base::mix64(seed()) + static_cast<std::uint64_t>(thread));
  }

  std::unique_ptr<Snapshot> snapshot() { return conformance::ok(as<Snapshots>().snapshot()); }

  Held hold(const std::vector<Bytes>& keys) {
    Held held{snapshot(), {}};
    held.view = view_at(engine(), Range::all(kSpace), keys, *held.snapshot);
    return held;
  }

  void look_again(const Held& held, const std::vector<Bytes>& keys) {
    require_same(held.view, view_at(engine(), Range::all(kSpace), keys, *held.snapshot),
                 "a snapshot changed");
  }

  /// Runs kWriters times `write` and beside them readers that look at snapshots until all writers
  /// have ended: each new one is judged, some are held for long and looked at again.
  template <class Write, class Judge>
  void run(const std::vector<Bytes>& keys, Write write, Judge judge) {
    std::atomic<int> writers{kWriters};  // relaxed: only ends the readers
    Team team;
    team.run(kThreads, [&](int thread) {
      base::Random random = random_of(thread);
      if (thread < kWriters) {
        const Leave leave(writers);
        write(random, team);
        return;
      }
      std::deque<Held> held;
      for (int i = 0; i < 10 || (writers.load(std::memory_order_relaxed) > 0 && !team.broken());
           ++i) {
        Held fresh = hold(keys);
        judge(fresh.view);
        judge(read_at_once(engine(), kSpace, keys, nullptr));
        if (held.size() < 6) {
          held.push_back(std::move(fresh));
        } else if (random.one_in(10)) {
          held[random.uniform(held.size())] = std::move(fresh);
        } else {
          look_again(held[random.uniform(held.size())], keys);
        }
      }
      for (const Held& one : held) look_again(one, keys);
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Contract, SnapshotViews, testing::ValuesIn(conformance::subjects_here()),
                         conformance::subject_name);

TEST_P(SnapshotViews, KeepTheSumOfABank) {
  NEEDS(snapshots);
  NEEDS(atomic_batch);
  constexpr int kAccounts = 16;
  constexpr int kEach = 1000;
  std::vector<Bytes> accounts;
  for (int i = 0; i < kAccounts; ++i) {
    accounts.push_back("account" + std::to_string(i));
    put(accounts.back(), std::to_string(kEach));
  }
  const auto transfer = [&](base::Random& random) {
    std::array<Read, 2> reads;
    const std::uint64_t from = random.uniform(kAccounts);
    const std::uint64_t to = (from + 1 + random.uniform(kAccounts - 1)) % kAccounts;
    reads[0].key = at(accounts[from]);
    reads[1].key = at(accounts[to]);
    conformance::ok(engine().mget(reads));
    if (random.one_in(20)) std::this_thread::yield();
    const int amount = static_cast<int>(random.uniform(100));
    WriteBatch batch;
    for (const Read& read : reads) {
      if (!read.info) throw Violation("an account is not there");
      batch.require_unchanged(read.key, read.info->version);
    }
    batch.put(reads[0].key, std::to_string(std::stoi(reads[0].value.to_bytes()) - amount));
    batch.put(reads[1].key, std::to_string(std::stoi(reads[1].value.to_bytes()) + amount));
    return conformance::ok(engine().commit(batch)).applied();
  };
  const int transfers = writes(8000);
  run(
      accounts,
      [&](base::Random& random, Team& team) {
        for (int done = 0; done < transfers && !team.broken();) done += transfer(random) ? 1 : 0;
      },
      [&](const View& view) {
        int sum = 0;
        for (const auto& [account, stored] : view) sum += std::stoi(stored.value);
        if (view.size() != kAccounts) throw Violation("an account is not there");
        if (sum != kAccounts * kEach) throw Violation("the sum is " + std::to_string(sum));
      });
}

TEST_P(SnapshotViews, KeepARingARing) {
  NEEDS(snapshots);
  NEEDS(atomic_batch);
  // Each record names the next one. Records are taken out of the ring and put in elsewhere.
  constexpr std::uint64_t kNodes = 24;
  std::vector<Bytes> nodes;
  for (std::uint64_t i = 0; i < kNodes; ++i) nodes.push_back("node" + std::to_string(i));
  put(nodes[0], nodes[0]);
  const auto turn = [&](base::Random& random) {
    std::array<Read, 2> reads;  // a node that may be in the ring, and one that may not
    const std::uint64_t some = random.uniform(kNodes);
    reads[0].key = at(nodes[some]);
    reads[1].key = at(nodes[(some + 1 + random.uniform(kNodes - 1)) % kNodes]);
    conformance::ok(engine().mget(reads));
    if (!reads[0].info) return false;
    if (random.one_in(20)) std::this_thread::yield();
    const Bytes next = reads[0].value.to_bytes();
    WriteBatch batch;
    batch.require_unchanged(reads[0].key, reads[0].info->version);
    if (!reads[1].info) {  // goes in behind the first
      batch.require_absent(reads[1].key);
      batch.put(reads[1].key, next);
      batch.put(reads[0].key, reads[1].key.key);
    } else {  // the one behind the first goes out; the first of all stays, and so does a last one
      if (next == nodes[0] || next == nodes[some]) return false;
      Value after;
      const auto info = conformance::ok(engine().get(at(next), after));
      if (!info) return false;
      batch.require_unchanged(at(next), info->version);
      batch.put(reads[0].key, after.view());
      batch.remove(at(next));
    }
    return conformance::ok(engine().commit(batch)).applied();
  };
  const int turns = writes(6000);
  run(
      nodes,
      [&](base::Random& random, Team& team) {
        for (int done = 0; done < turns && !team.broken();) done += turn(random) ? 1 : 0;
      },
      [&](const View& view) {
        std::size_t steps = 0;
        Bytes node = nodes[0];
        do {
          const auto found = view.find(node);
          if (found == view.end()) throw Violation("the ring leads to no record: " + node);
          node = found->second.value;
        } while (++steps < view.size() && node != nodes[0]);
        if (node != nodes[0]) throw Violation("the ring does not come back");
        if (steps != view.size()) throw Violation("there are records outside the ring");
      });
}

TEST_P(SnapshotViews, HoldExactlyTheWritesOfTheirTime) {
  NEEDS(snapshots);
  const int count = writes(8000);
  struct Writer {
    Bytes key;
    std::atomic<int> started{0};  // both release; acquired by the readers
    std::atomic<int> acknowledged{0};
    std::vector<Version> versions;  // of each write; read when the threads have ended
  };
  struct Look {
    Version version;
    std::array<int, kWriters> seen;
  };
  std::array<Writer, kWriters> writers;
  for (int i = 0; i < kWriters; ++i) {
    Writer& writer = writers[static_cast<std::size_t>(i)];
    writer.key = "writer" + std::to_string(i);
    writer.versions.push_back(put(writer.key, "0"));
  }
  std::atomic<int> left{kWriters};  // relaxed: only ends the readers
  std::array<std::vector<Look>, kThreads> looks;
  Team team;
  const auto look = [&] {
    std::array<int, kWriters> before{};
    for (std::size_t i = 0; i < writers.size(); ++i) {
      before[i] = writers[i].acknowledged.load(std::memory_order_acquire);
    }
    const std::unique_ptr<Snapshot> now = snapshot();
    Look found{now->version(), {}};
    for (std::size_t i = 0; i < writers.size(); ++i) {
      const int after = writers[i].started.load(std::memory_order_acquire);
      found.seen[i] = std::stoi(get(writers[i].key, now.get()).value_or("-1"));
      if (found.seen[i] < before[i])
        throw Violation("an acknowledged write is not in the snapshot");
      if (found.seen[i] > after) throw Violation("a write that began later is in the snapshot");
    }
    return found;
  };
  team.run(kThreads, [&](int thread) {
    const auto number = static_cast<std::size_t>(thread);
    if (thread < kWriters) {
      const Leave leave(left);
      Writer& writer = writers[number];
      for (int i = 1; i <= count && !team.broken(); ++i) {
        writer.started.store(i, std::memory_order_release);
        writer.versions.push_back(put(writer.key, std::to_string(i)));
        writer.acknowledged.store(i, std::memory_order_release);
      }
      return;
    }
    for (int i = 0; i < 10 || (left.load(std::memory_order_relaxed) > 0 && !team.broken()); ++i) {
      looks[number].push_back(look());
    }
  });
  if (team.broken()) return;
  // A snapshot is a version: what has one up to its own is in it, and nothing else.
  for (const std::vector<Look>& of_one : looks) {
    for (const Look& one : of_one) {
      for (std::size_t i = 0; i < writers.size(); ++i) {
        const std::vector<Version>& versions = writers[i].versions;
        const auto seen = static_cast<std::size_t>(one.seen[i]);
        ASSERT_LE(versions[seen], one.version) << replay();
        if (seen + 1 < versions.size()) {
          ASSERT_GT(versions[seen + 1], one.version) << replay();
        }
      }
    }
  }
}

TEST_P(SnapshotViews, StayAsTheyWereForAsLongAsTheyLive) {
  NEEDS(snapshots);
  // Writers rewrite everything, and upkeep goes on, while snapshots come and go in any order.
  constexpr std::uint64_t kKeys = 60;
  std::vector<Bytes> keys;
  for (std::uint64_t i = 0; i < kKeys; ++i) keys.push_back("key" + std::to_string(i));
  const int count = writes(20000);
  run(
      keys,
      [&](base::Random& random, Team& team) {
        WriteBatch batch;
        for (int i = 0; i < count && !team.broken(); ++i) {
          batch.clear();
          const KeyRef key = at(keys[random.uniform(kKeys)]);
          const std::uint64_t choice = random.uniform(16);
          if (choice == 0) {
            const Bytes& begin = keys[random.uniform(kKeys)];
            batch.delete_range(kSpace, begin, begin + "~");
          } else if (choice < 4) {
            batch.remove(key);
          } else if (choice < 7) {
            batch.append(key, "+");
          } else {
            batch.put(key, random.bytes(random.uniform(random.one_in(20) ? 9000 : 60)));
          }
          conformance::ok(engine().commit(batch));
          if (random.one_in(100)) conformance::ok(engine().maintain(100));
          if (random.one_in(1000) && GetParam().has(CapabilityId::persistence)) {
            compact(engine());
          }
          // Thousands of short ones, beside those that the readers hold.
          if (random.one_in(2)) static_cast<void>(snapshot());
        }
      },
      [](const View&) {});
  EXPECT_EQ(engine().stats().snapshots, 0u);
}

}  // namespace
}  // namespace strata::consistency
