// The store's own book-keeping beside the records: how many there are in each keyspace, and up to
// where versions have been given out.
//
// Format:  docs/formats/rocksdb.md
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "base/mutex.h"
#include "strata/record.h"
#include "strata/result.h"

namespace rocksdb {
class MergeOperator;
class WriteBatch;
}  // namespace rocksdb

namespace strata::backends::rocksdb {

class Database;

inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kFormatName = "strata-rocksdb 1";

/// Adds 64-bit numbers: what a batch changes a count by needs no read, and compaction folds it.
std::shared_ptr<::rocksdb::MergeOperator> count_merge_operator();

/// How many records are stored in each keyspace, expired ones included until they are swept.
///
/// Always: what stage() put into a batch and add() did after it was written are the same, so that
///         memory and disk agree but for batches in flight, and a crash loses both halves of one.
class Counts {
 public:
  /// Reads what the store holds; negative counts are Code::corruption.
  Result<> load(Database& database);
  static void stage(Database& database, ::rocksdb::WriteBatch& batch, Keyspace space,
                    std::int64_t change);
  void add(Keyspace space, std::int64_t change) STRATA_EXCLUDES(mutex_);
  std::uint64_t get(Keyspace space) const STRATA_EXCLUDES(mutex_);
  /// Of all keyspaces from kFirstUserKeyspace on.
  std::uint64_t users() const STRATA_EXCLUDES(mutex_);

 private:
  // relaxed: a number for itself. Who waits for a commit sees it through that commit's locks.
  using Number = std::atomic<std::int64_t>;
  mutable base::SharedMutex mutex_;
  std::map<Keyspace, Number> numbers_ STRATA_GUARDED_BY(mutex_);
};

/// Gives out versions, ever greater ones, also across restarts and crashes.
///
/// Always: a version is given out only when a ceiling at or above it is in RocksDB's log already.
///         The log is recovered as a prefix, so whatever record survives, its ceiling does, too,
///         and the clock starts again from there.
class VersionClock {
 public:
  /// `at_least`: where a store that was replaced by a checkpoint had come to.
  Result<> load(Database& database, Version at_least);
  Result<Version> next(Database& database) STRATA_EXCLUDES(mutex_);
  /// The newest that was given out.
  Version now() const noexcept { return Version{last_.load(std::memory_order_acquire)}; }

 private:
  static constexpr std::uint64_t kStep = 1 << 20;
  Result<> raise(Database& database, std::uint64_t beyond) STRATA_EXCLUDES(mutex_);

  std::atomic<std::uint64_t> last_{0};     // acq_rel with itself, in now()
  std::atomic<std::uint64_t> ceiling_{0};  // release in raise(), acquire in next()
  base::Mutex mutex_;
};

}  // namespace strata::backends::rocksdb
