// Recorder: threads that do random operations on a few groups of keys, and keep what they did.
//
// A round is short and begins and ends quiet: after it each group is read once, and that read is
// part of the round's history, so that the next round begins at a known state.
// Threads: run() from one at a time; it starts its own.
#pragma once

#include <atomic>
#include <vector>

#include "base/random.h"
#include "conformance/subject.h"
#include "consistency/history.h"
#include "strata/capabilities.h"

namespace strata::consistency {

/// A few neighbouring keys that stand for themselves: no operation touches two groups.
struct Group {
  Range range;
  std::vector<Bytes> keys;
};

/// One round of one group.
struct History {
  State start;
  std::vector<Call> calls;
};

class Recorder {
 public:
  static constexpr int kThreads = 4;
  static constexpr int kCallsPerThread = 12;

  /// Of an engine without atomic batches, groups of one key.
  Recorder(Engine& engine, const conformance::Subject& subject, Keyspace space, std::size_t groups);

  /// A round: one history a group. An engine's error throws.
  std::vector<History> round(base::Random& random);

 private:
  /// What one thread knows: versions it has seen may be of use as conditions.
  struct Worker {
    int number;
    base::Random random;
    std::vector<std::vector<Version>> known;  // [group][key]
    std::vector<std::vector<Call>> calls;     // [group]
  };

  void call(Worker& worker, std::size_t group);
  std::size_t any_key(Worker& worker, std::size_t group) const;
  Bytes any_value(Worker& worker);
  std::vector<std::size_t> some_keys(Worker& worker, std::size_t group) const;
  void begin(Call& call) { call.invoked = ticket_.fetch_add(1, std::memory_order_seq_cst); }
  void end(Call& call) { call.returned = ticket_.fetch_add(1, std::memory_order_seq_cst); }

  Call read(const Group& group, std::vector<std::size_t> keys);
  Call read_snapshot(const Group& group);
  Call read_page(const Group& group, bool reverse);
  Call write(Worker& worker, std::size_t group);
  Call conditional(Worker& worker, std::size_t group);
  Call update(Worker& worker, std::size_t group);
  Call transaction(Worker& worker, std::size_t group);
  void commit(const Group& group, Call& call);
  void observe(const Group& group, Call& call, const ReadOptions& options);
  void add_effect(Worker& worker, Call& call, std::size_t key);

  Engine& engine_;
  const conformance::Subject& subject_;
  Keyspace space_;
  std::vector<Group> groups_;
  std::vector<State> states_;
  std::atomic<std::uint64_t> ticket_{1};      // seq_cst: the order of all calls
  std::atomic<std::uint64_t> next_value_{1};  // relaxed: only makes values unlike
};

}  // namespace strata::consistency
