// Worker: one thread of the stress test. It owns a range of keys, does every operation of the
// contract on them, and holds each answer against its reference.
//
// Threads: each worker in one thread at a time. Borrows all it is given.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "conformance/subject.h"
#include "consistency/reference.h"

namespace strata::consistency {

class Worker {
 public:
  static constexpr std::uint64_t kKeys = 120;
  static constexpr std::uint64_t kStableKeys = 15;  ///< that are there all the time

  Worker(const conformance::Subject& subject, Keyspace space, base::SimClock& clock, int number,
         std::uint64_t seed);

  /// Writes the stable keys; before any work.
  void prepare(Engine& engine);
  /// So many random operations. Throws at the first answer that is wrong.
  void work(Engine& engine, int operations, const Team& team);
  /// Holds all own keys against the reference, read in every way.
  void check(Engine& engine);
  /// A checkpoint of the store at work, restored elsewhere: own keys must be in it.
  void check_checkpoint(Engine& engine);
  /// Looks at the snapshots that are still held a last time, and lets them go.
  void release_snapshots(Engine& engine);

  std::size_t count() const { return reference_.count(clock_.wall_ms()); }
  /// When the next of its records ends, or kNeverExpires.
  std::int64_t next_expiry() const { return reference_.next_expiry(clock_.wall_ms()); }

 private:
  struct Held {
    std::unique_ptr<Snapshot> snapshot;
    Reference reference;
  };

  void write(Engine& engine);
  void write_batch(Engine& engine);
  void conditional(Engine& engine);
  void update(Engine& engine);
  void read(Engine& engine);
  void scan(Engine& engine);
  void cursor_scan(Engine& engine);
  void snapshot(Engine& engine);
  void upkeep(Engine& engine);
  /// Adds one effect to the batch; it is applied to the reference by `then`.
  void add_effect(WriteBatch& batch, Reference& then);
  void look_again(Engine& engine, const Held& held);
  View own(const View& view) const;

  bool has(CapabilityId id) const { return subject_.has(id); }
  KeyRef at(const Bytes& key) const { return {space_, key}; }
  const Bytes& any_key() { return keys_[random_.uniform(keys_.size())]; }
  Bytes any_value();
  std::int64_t any_expiry();
  /// Runs the operation; the clock before and after it.
  template <class Operation>
  Times timed(Operation operation);

  const conformance::Subject& subject_;
  Keyspace space_;
  base::SimClock& clock_;
  base::Random random_;
  std::string name_;
  Range range_;
  std::vector<Bytes> keys_;
  std::vector<Bytes> stable_;
  Reference reference_;
  std::vector<Held> held_;
};

}  // namespace strata::consistency
