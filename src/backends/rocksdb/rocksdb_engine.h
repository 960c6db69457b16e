// RocksdbEngine: the contract over a RocksDB.
//
//   read.cc         get, mget, asynchronous reads       scan.cc         pages, cursors
//   commit.cc       batches                             expiry.cc       sweeping, counting
//   persistence.cc  checkpoint, restore, compact        rocksdb_engine.cc   the rest
//
// Format:  docs/formats/rocksdb.md
// Threads: as Engine. Lock order: gate_, sweep_mutex_, key locks, snapshots_mutex_.
// Owns:    the database, its caches and the threads of its asynchronous reads. Borrows FileSystem
//          and Clock.
// Always:  who changes a key, or judges it for a change, holds its key lock until the change is
//          written; who holds all key locks sees no commit in flight.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "backends/rocksdb/commit_plan.h"
#include "backends/rocksdb/database.h"
#include "backends/rocksdb/key_locks.h"
#include "backends/rocksdb/meta.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/reader_gate.h"
#include "base/thread_pool.h"
#include "strata/backend.h"
#include "strata/capabilities.h"

namespace rocksdb {
class PinnableSlice;
struct ReadOptions;
class WriteBatch;
}  // namespace rocksdb

namespace strata::io {
class FolderSwap;
}

namespace strata::backends::rocksdb {

class RocksdbSnapshot;

class RocksdbEngine final : public Engine,
                            public Ordered,
                            public AtomicBatch,
                            public Snapshots,
                            public Persistence,
                            public AsyncReads {
 public:
  static Result<std::unique_ptr<RocksdbEngine>> open(const Settings& settings,
                                                     const Environment& environment);
  ~RocksdbEngine() override;

  // Engine
  Result<> mget(std::span<Read> reads, const ReadOptions& options) override;
  Result<Commit> commit(const WriteBatch& batch, const WriteOptions& options) override;
  Result<> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                     ScanPage& page) override;
  Result<std::uint64_t> count(Keyspace space) override;
  Result<Maintenance> maintain(std::uint32_t records) override;
  Stats stats() override;
  Limits limits() const override;
  Result<> close() override;

  // Ordered
  Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) override;
  // Snapshots
  Result<std::unique_ptr<Snapshot>> snapshot() override;
  // Persistence
  Result<Checkpoint> checkpoint(const std::string& folder) override;
  Result<Checkpoint> restore(const std::string& folder) override;
  Result<> compact() override;
  // AsyncReads
  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override;

  /// Lets go of what a snapshot holds; called by its end.
  void release(RocksdbSnapshot& snapshot) STRATA_EXCLUDES(snapshots_mutex_);

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  /// What a read sees: the present, or a snapshot.
  struct Sight {
    const ::rocksdb::Snapshot* snapshot = nullptr;
    std::int64_t now_ms = 0;
    bool shows(const RecordAttributes& attributes) const noexcept {
      return attributes.expires_ms == kNeverExpires || attributes.expires_ms > now_ms;
    }
  };
  struct Removal;  // a range of physical keys that a batch removes

  RocksdbEngine(const Settings& settings, const Environment& environment);

  // All of these expect the caller inside gate_, or alone.
  Result<> check_open() const;
  Result<> check_writable() const;
  Result<Sight> sight_of(const Snapshot* at) const;
  ::rocksdb::ReadOptions read_options(const Sight& sight) const;
  IteratorPtr iterate(const ::rocksdb::ReadOptions& options) const;

  // rocksdb_engine.cc
  Result<> open_database(Version at_least);
  Result<> close_database() STRATA_EXCLUDES(snapshots_mutex_);
  Result<> sync_interval();

  // persistence.cc
  std::string database_folder() const;
  Result<> exchange(io::FolderSwap& swap) STRATA_EXCLUDES(snapshots_mutex_);

  // read.cc: `waits` false answers only from memory; false comes back where that was not enough.
  Result<bool> read(std::span<Read> reads, const ReadOptions& options, bool waits);
  Result<bool> read_one(Read& read, const Sight& sight, bool info_only, bool waits);
  Result<bool> read_many_cached(std::span<Read> reads, Sight sight, bool info_only);
  Result<> read_many(std::span<Read> reads, const Sight& sight, bool info_only);
  Result<> answer(Read& read, ::rocksdb::PinnableSlice&& record, const Sight& sight,
                  bool info_only) const;

  // commit.cc
  Result<> look_up(CommitPlan& plan, std::vector<::rocksdb::PinnableSlice>& kept);
  Result<> look_up_some(CommitPlan& plan, std::span<CommitPlan::Slot> slots,
                        std::vector<::rocksdb::PinnableSlice>& kept);
  Result<Version> write(const WriteBatch& batch, CommitPlan& plan, Durability durability);
  Result<> stage_removals(const WriteBatch& batch, const CommitPlan& plan,
                          ::rocksdb::WriteBatch& to, std::map<Keyspace, std::int64_t>& changes);
  Result<> stage_slot(const CommitPlan::Slot& slot, Version version, ::rocksdb::WriteBatch& to);

  // expiry.cc
  Result<> load_earliest_expiry();
  void note_expiry(std::int64_t expires_ms) noexcept;
  /// Takes out up to `records` expired records; `more` says whether there are more.
  Result<std::uint64_t> sweep(std::uint32_t records, bool& more) STRATA_REQUIRES(sweep_mutex_);
  Result<std::uint64_t> sweep_keys(std::span<const Bytes> entries);
  void sweep_after_commit() STRATA_EXCLUDES(sweep_mutex_);
  /// Expired records of a keyspace that are still stored; of all user keyspaces without one.
  Result<std::uint64_t> expired(std::optional<Keyspace> space) STRATA_REQUIRES(sweep_mutex_);

  const Settings settings_;
  io::FileSystem& files_;
  base::Clock& clock_;
  const std::string folder_;
  const Durability durability_;
  const std::int64_t interval_ns_;

  base::ReaderGate gate_;
  std::unique_ptr<Database> database_;  // changes only while somebody is alone; null: closed
  Counts counts_;
  VersionClock versions_;
  KeyLocks locks_;

  // When the log was last made durable, and whether something was written since. relaxed: who
  // wins the exchange syncs, and a sync covers all that was written before it.
  std::atomic<std::int64_t> synced_ns_{0};
  std::atomic<bool> unsynced_{false};

  // Not above the earliest entry of the expiry index, but while somebody sweeps. seq_cst: it is
  // lowered after an entry was written and raised before the index is read, so that one of the
  // two sides sees the other.
  std::atomic<std::int64_t> earliest_expiry_ms_{0};
  base::Mutex sweep_mutex_;

  mutable base::Mutex snapshots_mutex_;
  std::set<RocksdbSnapshot*> snapshots_ STRATA_GUARDED_BY(snapshots_mutex_);

  base::Mutex restore_mutex_;
  std::unique_ptr<base::ThreadPool> readers_;  // last: its tasks use all of the above
};

}  // namespace strata::backends::rocksdb
