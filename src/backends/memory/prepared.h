// Prepared: batches between the two halves of a two-phase commit, and the keys they keep.
//
// Always:  the keys and ranges kept are exactly those of the batches in it.
// Threads: the engine's lock sees to it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "backends/memory/version_store.h"
#include "strata/batch.h"
#include "strata/result.h"

namespace strata::backends::memory {

class Prepared {
 public:
  bool empty() const noexcept { return batches_.empty(); }
  /// busy if the batch touches a key of one that is in here.
  Result<> check_free(const WriteBatch& batch) const;
  /// The same for what its conditions stand on, too.
  Result<> check_free_to_prepare(const WriteBatch& batch) const;
  /// Keeps a copy. The id must not be in here.
  void add(BytesView id, const WriteBatch& batch);
  /// Null if there is none.
  const WriteBatch* find(BytesView id) const;
  void erase(BytesView id);
  std::vector<Bytes> ids() const;
  void clear();

 private:
  Result<> check_key(const KeyRef& key) const;
  Result<> check_range(const Effect& effect) const;

  using Key = std::pair<Keyspace, Bytes>;
  std::map<Bytes, WriteBatch, std::less<>> batches_;
  std::multimap<Key, Bytes> keys_;      // to the id
  std::multimap<Bytes, Range> ranges_;  // from the id
};

/// Adds all effects and conditions of one batch to another, with copies of their bytes.
void append_batch(const WriteBatch& from, WriteBatch& to);
/// Adds one of them.
void append_effect(const Effect& effect, WriteBatch& to);
void append_condition(const Condition& condition, WriteBatch& to);
/// Of an effect of the kind delete_range.
Range range_of(const Effect& effect);

}  // namespace strata::backends::memory
