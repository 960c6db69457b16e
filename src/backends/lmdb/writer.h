// Writer: applies batches to a transaction that writes, one after the other.
//
// Always:  a batch whose apply() returned an error may have left a part of itself in the
//          transaction, which must then be aborted; a refused one has left nothing.
// Threads: as the transaction.
#pragma once

#include <cstdint>
#include <map>

#include "backends/lmdb/records.h"
#include "strata/engine.h"

namespace strata::backends::lmdb {

/// The store's own numbers, as a transaction sees them.
Result<Version> stored_version(const Transaction& txn);
Result<std::uint64_t> stored_count(const Transaction& txn, Keyspace space);
/// Of all keyspaces from kFirstUserKeyspace on.
Result<std::uint64_t> stored_count_of_users(const Transaction& txn);
/// Records that expired at `now_ms` or before and are still stored: those of one keyspace, or of
/// all user keyspaces.
Result<std::uint64_t> stored_expired(const Transaction& txn, std::int64_t now_ms,
                                     std::optional<Keyspace> space);

/// Whether there is any of these.
Result<bool> any_expired(const Transaction& txn, std::int64_t now_ms);

class Writer {
 public:
  static Result<Writer> begin(MapEnvironment& environment);

  /// `now_ms` judges expiry.
  Result<Commit> apply(const WriteBatch& batch, std::int64_t now_ms, std::uint64_t value_bytes_max);
  /// Takes out up to `records` expired records; `more` says whether there are more.
  Result<std::uint64_t> sweep(std::uint32_t records, std::int64_t now_ms, bool& more);
  /// Versions go on from here, if they are not beyond it already.
  void raise_version(Version at_least);
  Result<> commit();
  bool map_full() const noexcept { return txn_.map_full(); }

 private:
  explicit Writer(Transaction txn) noexcept : txn_(std::move(txn)) {}

  Result<bool> holds(const Condition& condition, std::int64_t now_ms) const;
  Result<> apply_effect(const Effect& effect, Version version, std::int64_t now_ms,
                        std::uint64_t value_bytes_max);
  Result<> put(const KeyRef& key, const RecordAttributes& attributes, BytesView value,
               Version version);
  Result<> remove(const KeyRef& key);
  Result<> patch(const Effect& effect, Version version, std::int64_t now_ms,
                 std::uint64_t value_bytes_max);
  Result<> expire(const Effect& effect, Version version, std::int64_t now_ms);
  Result<> remove_range(const Effect& effect);
  Result<> remove_stored(BytesView stored, Keyspace space, std::int64_t expires_ms);

  Transaction txn_;
  Version version_;
  std::map<Keyspace, std::int64_t> changes_;
  std::uint64_t touched_bytes_ = 0;
};

}  // namespace strata::backends::lmdb
