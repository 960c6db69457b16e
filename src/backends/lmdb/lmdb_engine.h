// LmdbEngine: the contract over an LMDB environment.
//
//   lmdb_engine.cc  opening, reads, scans, snapshots, figures
//   commit.cc       commits of many threads in one transaction, upkeep, growth of the map
//   persistence.cc  checkpoint, restore, compact
//
// Format:  docs/formats/lmdb.md
// Threads: as Engine. Lock order: queue_mutex_ is held for no call; writer_mutex_, gate_,
//          snapshots_mutex_, a snapshot's own.
// Owns:    the environment, its read transactions and the lock of the folder. Borrows FileSystem
//          and Clock.
// Always:  who has a transaction open is inside gate_, or is a snapshot; the map grows only when
//          there is neither, since it moves.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "backends/lmdb/environment.h"
#include "backends/lmdb/records.h"
#include "backends/lmdb/transaction.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/reader_gate.h"
#include "strata/backend.h"
#include "strata/capabilities.h"

namespace strata::io {
class FileLock;
class FolderSwap;
}  // namespace strata::io

namespace strata::backends::lmdb {

class LmdbSnapshot;
class Writer;

class LmdbEngine final : public Engine,
                         public Ordered,
                         public AtomicBatch,
                         public Snapshots,
                         public Persistence {
 public:
  static Result<std::unique_ptr<LmdbEngine>> open(const Settings& settings,
                                                  const Environment& environment);
  ~LmdbEngine() override;

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

  /// Lets go of what a snapshot holds; called by its end.
  void release(LmdbSnapshot& snapshot) STRATA_EXCLUDES(snapshots_mutex_);

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  /// What a read sees.
  struct Sight {
    const Transaction& txn;
    std::int64_t now_ms;
    bool shows(const RecordAttributes& attributes) const noexcept {
      return attributes.expires_ms == kNeverExpires || attributes.expires_ms > now_ms;
    }
  };
  using ReadFunction = FunctionRef<Result<>(const Sight&)>;
  /// A commit that waits for its turn.
  struct Request {
    const WriteBatch* batch;
    Durability durability;
    Result<Commit> outcome;
    bool done = false;
  };

  LmdbEngine(const Settings& settings, const Environment& environment);
  Result<> check_open() const;
  Result<> check_writable() const;
  std::string map_folder() const { return folder_ + "/db"; }
  Result<> open_map();
  void close_map() STRATA_EXCLUDES(snapshots_mutex_);
  /// Runs `function` in a transaction that reads: of the snapshot, or at the present.
  Result<> with_read(const Snapshot* at, ReadFunction function);
  Result<> with_snapshot(const Snapshot& at, ReadFunction function);
  Result<bool> with_present(ReadFunction function);
  std::uint64_t open_snapshots() const STRATA_EXCLUDES(snapshots_mutex_);

  // commit.cc
  void lead(Request& own) STRATA_REQUIRES(queue_mutex_);
  void run_group(std::span<Request* const> group) STRATA_EXCLUDES(writer_mutex_);
  Result<> try_group(std::span<Request* const> group) STRATA_REQUIRES(writer_mutex_);
  /// One transaction that writes; grows the map and begins anew while it is too small.
  Result<> write(FunctionRef<Result<>(Writer&)> function) STRATA_REQUIRES(writer_mutex_);
  Error name_full_disk(Error error);
  Result<> grow() STRATA_REQUIRES(writer_mutex_);
  void grow_ahead() STRATA_REQUIRES(writer_mutex_);
  Result<> sync_after(Durability strongest);

  // persistence.cc
  Result<> exchange(io::FolderSwap& swap) STRATA_REQUIRES(writer_mutex_);

  const Settings settings_;
  io::FileSystem& files_;
  base::Clock& clock_;
  const std::string folder_;
  const Durability durability_;
  const std::int64_t interval_ns_;

  base::ReaderGate gate_;
  std::unique_ptr<io::FileLock> lock_;
  std::unique_ptr<MapEnvironment> map_;  // changes only while somebody is alone; null: closed
  ReadPool reads_;

  base::Mutex writer_mutex_;  // one transaction that writes; no thread waits for it inside gate_
  base::Mutex queue_mutex_;
  base::CondVar turn_;
  std::deque<Request*> queue_ STRATA_GUARDED_BY(queue_mutex_);
  bool led_ STRATA_GUARDED_BY(queue_mutex_) = false;

  // When the file was last synced, and whether something was written since. relaxed: who wins
  // the exchange syncs, and a sync covers all that was committed before it.
  std::atomic<std::int64_t> synced_ns_{0};
  std::atomic<bool> unsynced_{false};

  mutable base::Mutex snapshots_mutex_;
  std::set<LmdbSnapshot*> snapshots_ STRATA_GUARDED_BY(snapshots_mutex_);
};

}  // namespace strata::backends::lmdb
