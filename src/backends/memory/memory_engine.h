// MemoryEngine: the contract over a VersionStore under one reader-writer lock.
//
// Threads: as Engine. Reads share `mutex_`, writes hold it alone. The change log has a lock below
//          it; listeners of watches are called without it.
// Owns:    all data. Borrows: FileSystem and Clock, which must outlive it.
// Always:  a commit is one hold of the lock, so no reader sees half of it; whatever it gives back
//          of expired records and old versions is bounded.
// Cost:    O(log n) a key. It is a reference: correct first, fast where that costs nothing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/memory/change_log.h"
#include "backends/memory/prepared.h"
#include "backends/memory/version_store.h"
#include "backends/memory/watchers.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "strata/backend.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::backends::memory {

struct MemoryOptions {
  ChangeLog::Bounds changes;
};

/// Looks at the store, under the lock, just before a batch is applied; its error refuses the batch.
using CommitGuard = FunctionRef<Result<>(const VersionStore& store)>;

class MemoryEngine final : public Engine,
                           public Ordered,
                           public AtomicBatch,
                           public Snapshots,
                           public Transactions,
                           public Persistence,
                           public AsyncReads,
                           public Prepare,
                           public ChangeFeed,
                           public Watch {
 public:
  /// Empty; open_with() fills it.
  MemoryEngine(const MemoryOptions& options, const Environment& environment);
  ~MemoryEngine() override;

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
  // Transactions
  Result<std::unique_ptr<Transaction>> begin(const TransactionOptions& options) override;
  // Persistence
  Result<Checkpoint> checkpoint(const std::string& folder) override;
  /// Busy while a prepared batch waits. The restored records get a version of their own, above all
  /// that were there; open snapshots stay as they are; the change feed begins anew.
  Result<Checkpoint> restore(const std::string& folder) override;
  Result<> compact() override;
  // AsyncReads: nothing here waits, so the answer comes at once.
  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override;
  // Prepare
  Result<Commit> prepare(BytesView id, const WriteBatch& batch) override;
  Result<Commit> finish(BytesView id, bool commit) override;
  Result<std::vector<Bytes>> in_doubt() override;
  // ChangeFeed
  Result<> changes(Version after, std::size_t limit, std::vector<Change>& changes) override;
  Result<bool> wait_for_change(Version after, std::chrono::milliseconds wait) override;
  // Watch
  Result<std::unique_ptr<WatchHandle>> watch(const Range& range, Listener changed) override;

  /// As commit, if `guard` lets it.
  Result<Commit> commit_if(const WriteBatch& batch, const WriteOptions& options, CommitGuard guard);
  /// Makes an empty engine what its folder's newest checkpoint says.
  Result<> load(bool create);
  /// Lets go of what a snapshot held; called by its destructor.
  void release(Version version);
  base::Clock& clock() noexcept { return clock_; }
  /// Aborts if the structure contradicts itself.
  Result<> check_invariants() override;

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  struct Loaded;

  Result<> check_open() const STRATA_REQUIRES_SHARED(mutex_);
  Result<> check_writable() const STRATA_REQUIRES_SHARED(mutex_);
  /// invalid_argument if the snapshot is of another engine.
  Result<Sight> sight_of(const Snapshot* at) const;

  /// The first condition that does not hold.
  std::optional<std::size_t> failed_condition(const WriteBatch& batch, Sight now) const
      STRATA_REQUIRES_SHARED(mutex_);
  /// Finds a patch that would make its value too long, before anything is applied.
  Result<> check_patches(const WriteBatch& batch, Sight now) const STRATA_REQUIRES_SHARED(mutex_);
  /// Applies a batch that was checked; `touched` gets what watchers must hear.
  Version apply_all(const WriteBatch& batch, std::vector<Payload> payloads, Sight now,
                    std::vector<Touched>& touched) STRATA_REQUIRES(mutex_);
  void apply(const Effect& effect, Payload payload, Version version, Sight now)
      STRATA_REQUIRES(mutex_);
  /// Writes one record and its change.
  void put(const KeyRef& key, Revision revision, Sight now) STRATA_REQUIRES(mutex_);
  /// Takes up to `records` expired records out; says how many.
  std::size_t sweep(std::size_t records, std::vector<Touched>& touched) STRATA_REQUIRES(mutex_);
  /// Fills a page from a range; whether the range may hold more behind it.
  bool fill(const Range& range, const ScanOptions& options, Sight sight, ScanPage& page) const
      STRATA_REQUIRES_SHARED(mutex_);
  /// Writes the present into a folder that is there and empty.
  Result<Checkpoint> write_checkpoint(const std::string& folder);
  /// Leaves the checkpoint from which the next open begins.
  Result<> save();
  /// As `save`, whether or not something changed.
  Result<> save_anew();

  io::FileSystem& files_;
  base::Clock& clock_;
  const MemoryOptions options_;
  const std::string folder_;
  const bool read_only_;

  ChangeLog log_;
  Watchers watchers_;
  mutable base::SharedMutex mutex_;
  VersionStore store_ STRATA_GUARDED_BY(mutex_);
  Prepared prepared_ STRATA_GUARDED_BY(mutex_);
  bool closed_ STRATA_GUARDED_BY(mutex_) = false;
  /// The version of the checkpoint that the folder holds.
  std::optional<Version> saved_ STRATA_GUARDED_BY(mutex_);
};

Result<std::unique_ptr<Engine>> open_with(const MemoryOptions& options,
                                          const Environment& environment);

}  // namespace strata::backends::memory
