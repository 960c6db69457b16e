// Census: how many records a keyspace has, exactly, without looking at them again.
//
// The first time, somebody walks through the leaves in order and reports what lies in each
// (add_leaf); from then on every write reports what it changed. A change in a leaf that the walk
// has not reached is left to the walk. Expiring records stand in an index by their time, so that
// expired ones are neither counted nor hard to find.
//
// Threads: any. Whoever calls add_leaf or change holds the leaf's lock, so both see one state of
// it. Always:  expired_ is the number of index entries with a time up to mark_ms_.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/file/names.h"
#include "base/mutex.h"

namespace strata::backends::file {

class Census {
 public:
  /// What one record counts for.
  struct Weight {
    std::int64_t expires_ms = 0;
    std::uint64_t bytes = 0;   ///< of key and value
    std::uint64_t blocks = 0;  ///< of 4 KiB, both files
  };
  struct Totals {
    std::uint64_t records = 0;  ///< expired ones that are still there included
    std::uint64_t expiring = 0;
    std::uint64_t bytes = 0;
    std::uint64_t blocks = 0;
    friend bool operator==(const Totals&, const Totals&) = default;
  };
  struct Expiring {
    std::int64_t expires_ms = 0;
    Leaf leaf = 0;
    std::string name;
    friend auto operator<=>(const Expiring&, const Expiring&) = default;
  };

  /// The result of an earlier walk, none of whose records expires. The walk is done.
  void assume(const Totals& totals);
  bool complete() const;
  /// The first leaf that has not been counted; kLeaves when the walk is done.
  unsigned next_leaf() const;
  /// All that is in `leaf`, which becomes the last one counted. Does nothing if it is counted.
  void add_leaf(Leaf leaf, std::span<const std::pair<std::string, Weight>> records);
  /// There is nothing in the leaves before `leaf` that are not yet counted.
  void skip_to(unsigned leaf);

  /// A record came (no `before`), went (no `after`) or changed.
  void change(Leaf leaf, const std::string& name, const std::optional<Weight>& before,
              const std::optional<Weight>& after);

  /// Records that have not expired by `now_ms`. Right once complete().
  std::uint64_t visible(std::int64_t now_ms);
  Totals totals() const;
  /// Up to `max` records that have expired; they stay in until change() takes them out.
  std::vector<Expiring> expired(std::int64_t now_ms, std::size_t max);
  /// Takes out what turned out to be no record that expires then.
  void forget(const Expiring& expiring);
  std::uint64_t memory_bytes() const;

 private:
  void add(Leaf leaf, const std::string& name, const Weight& weight) STRATA_REQUIRES(mutex_);
  void erase(const Expiring& expiring) STRATA_REQUIRES(mutex_);
  void move_mark(std::int64_t now_ms) STRATA_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  unsigned next_leaf_ STRATA_GUARDED_BY(mutex_) = 0;
  Totals totals_ STRATA_GUARDED_BY(mutex_);
  std::set<Expiring> index_ STRATA_GUARDED_BY(mutex_);
  std::int64_t mark_ms_ STRATA_GUARDED_BY(mutex_) = INT64_MIN;
  std::uint64_t expired_ STRATA_GUARDED_BY(mutex_) = 0;
};

}  // namespace strata::backends::file
