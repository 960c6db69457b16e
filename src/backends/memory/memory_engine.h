// MemoryEngine: the contract over a VersionStore under one reader-writer lock.
//
// Threads: as Engine. Reads share `mutex_`, writes hold it alone.
// Owns:    all data. Borrows: FileSystem and Clock, which must outlive it.
// Always:  a commit is one hold of the lock, so no reader sees half of it; whatever it gives back
//          of expired records and old versions is bounded.
// Cost:    O(log n) a key. It is a reference: correct first, fast where that costs nothing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/memory/version_store.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "strata/backend.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::backends::memory {

struct MemoryOptions {};

class MemoryEngine final : public Engine,
                           public Ordered,
                           public AtomicBatch,
                           public Snapshots,
                           public AsyncReads {
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
  // AsyncReads: nothing here waits, so the answer comes at once.
  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override;

  /// Lets go of what a snapshot held; called by its destructor.
  void release(Version version);
  /// Aborts if the structure contradicts itself; for tests.
  void check_invariants();

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  Result<> check_open() const STRATA_REQUIRES_SHARED(mutex_);
  Result<> check_writable() const STRATA_REQUIRES_SHARED(mutex_);
  /// invalid_argument if the snapshot is of another engine.
  Result<Sight> sight_of(const Snapshot* at) const;

  /// The first condition that does not hold.
  std::optional<std::size_t> failed_condition(const WriteBatch& batch, Sight now) const
      STRATA_REQUIRES_SHARED(mutex_);
  /// Finds a patch that would make its value too long, before anything is applied.
  Result<> check_patches(const WriteBatch& batch, Sight now) const STRATA_REQUIRES_SHARED(mutex_);
  void apply(const Effect& effect, Payload payload, Version version, Sight now)
      STRATA_REQUIRES(mutex_);
  /// Takes up to `records` expired records out; says how many.
  std::size_t sweep(std::size_t records) STRATA_REQUIRES(mutex_);

  io::FileSystem& files_;
  base::Clock& clock_;
  const MemoryOptions options_;
  const bool read_only_;

  mutable base::SharedMutex mutex_;
  VersionStore store_ STRATA_GUARDED_BY(mutex_);
  bool closed_ STRATA_GUARDED_BY(mutex_) = false;
};

Result<std::unique_ptr<Engine>> open_with(const MemoryOptions& options,
                                          const Environment& environment);

}  // namespace strata::backends::memory
