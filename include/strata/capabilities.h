// Optional interfaces of an engine, asked for at run time: `engine.as<Snapshots>()`.
//
// A layer forwards one only where it keeps that interface's promise.
// Threads: as Engine, if not said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "strata/engine.h"

namespace strata {

/// Scans in key order (bytes as unsigned numbers).
class STRATA_API Ordered : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::ordered;
  /// Fills `page` from the range's beginning (its end, if reverse). options.limit is the caller's
  /// business. Cost: O(log n + page).
  virtual Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) = 0;
  /// The visible records in a range, exactly. May be linear in their number.
  virtual Result<std::uint64_t> count_range(const Range& range, const Snapshot* at = nullptr);

 protected:
  ~Ordered() = default;
};

/// A batch of many effects is applied, seen and recovered whole or not at all.
class STRATA_API AtomicBatch : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::atomic_batch;

 protected:
  ~AtomicBatch() = default;
};

/// A view of the store that never changes: exactly the writes with a version up to its own.
/// Expiry is judged at its time. Destroy it to let go of old versions; it must not outlive its
/// engine. Threads: any.
class STRATA_API Snapshot {
 public:
  virtual ~Snapshot();
  virtual Version version() const noexcept = 0;
  virtual std::int64_t time_ms() const noexcept = 0;
};

class STRATA_API Snapshots : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::snapshots;
  /// The present, for good. Pass it as `at` of reads and scans of the engine it came from, or of
  /// the topmost layer that gave it.
  virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;

 protected:
  ~Snapshots() = default;
};

enum class Isolation : std::uint8_t {
  snapshot,     ///< reads one snapshot; the first of two that write a key commits
  serializable  ///< and what was read (scanned ranges too) has not changed at commit
};

struct TransactionOptions {
  Isolation isolation = Isolation::snapshot;
  bool read_only = false;
  std::int64_t timeout_ms = 0;  ///< a commit later than this fails (timeout); 0: no bound
};

/// Reads at a snapshot with its own writes on top. Gone without commit() means rolled back.
/// Threads: one at a time.
class STRATA_API Transaction {
 public:
  virtual ~Transaction();
  virtual Result<> mget(std::span<Read> reads, bool info_only = false) = 0;
  /// Nothing: the engine is not Ordered (not_supported).
  virtual Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) = 0;
  /// What it will write. Conditions added here are judged at commit, against the present.
  virtual WriteBatch& writes() = 0;
  /// Code::conflict names the key. Whatever comes back, the transaction is over.
  virtual Result<Commit> commit(const WriteOptions& options = {}) = 0;
  virtual Version read_version() const noexcept = 0;
};

class STRATA_API Transactions : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::transactions;
  virtual Result<std::unique_ptr<Transaction>> begin(const TransactionOptions& options = {}) = 0;

 protected:
  ~Transactions() = default;
};

struct Checkpoint {
  Version version;
  std::int64_t time_ms = 0;
  std::uint64_t bytes = 0;
};

/// The store as files in a folder, and back.
class STRATA_API Persistence : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::persistence;
  /// Writes the present to `folder` (made if absent, must be empty otherwise), durably, while
  /// reads and writes go on. A folder is a checkpoint only once this returned.
  virtual Result<Checkpoint> checkpoint(const std::string& folder) = 0;
  /// Replaces the content by that of a checkpoint; on an error it is what it was.
  virtual Result<Checkpoint> restore(const std::string& folder) = 0;
  /// Gives space back that no live record or snapshot needs.
  virtual Result<> compact() = 0;

 protected:
  ~Persistence() = default;
};

/// Told once when an asynchronous read has ended, from a thread of the engine; must be quick.
class STRATA_API ReadCompletion {
 public:
  virtual void complete(Result<> result) noexcept = 0;

 protected:
  ~ReadCompletion() = default;
};

/// Reads that need not wait for a device.
class STRATA_API AsyncReads : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::async_reads;
  /// As Engine::mget. What can be answered without waiting is answered at once and its result
  /// returned. Otherwise nothing is returned, `reads` and the keys they borrow must stay as they
  /// are, and `then` is told exactly once.
  virtual std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                             ReadCompletion& then) = 0;

 protected:
  ~AsyncReads() = default;
};

/// First half of a two-phase commit.
class STRATA_API Prepare : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::prepare;
  /// Checks the conditions and keeps the batch under `id` (1 to 200 bytes): from now on only
  /// finish() decides, and other commits that touch its keys are refused (busy).
  virtual Result<Commit> prepare(BytesView id, const WriteBatch& batch) = 0;
  /// Applies or drops it. An unknown id is an invalid_argument.
  virtual Result<Commit> finish(BytesView id, bool commit) = 0;
  virtual Result<std::vector<Bytes>> in_doubt() = 0;

 protected:
  ~Prepare() = default;
};

enum class ChangeKind : std::uint8_t { put, remove, expired, delete_range };

/// One effect as it was applied; patches and expiry changes come as the `put` they amount to.
struct Change {
  Version version;
  ChangeKind kind = ChangeKind::put;
  Keyspace space{};
  Bytes key;
  Bytes value;  ///< of delete_range: the end
  RecordAttributes attributes;
};

/// All changes in the order of their versions.
class STRATA_API ChangeFeed : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::change_feed;
  /// Appends to `changes` what came after version `after`: whole versions only, about `limit`
  /// changes. An `after` older than what is kept is an invalid_argument that says so.
  virtual Result<> changes(Version after, std::size_t limit, std::vector<Change>& changes) = 0;
  /// Waits until there is something after `after`; false when `wait` ran out first.
  virtual Result<bool> wait_for_change(Version after, std::chrono::milliseconds wait) = 0;

 protected:
  ~ChangeFeed() = default;
};

/// Ends the watch when destroyed; no call comes afterwards.
class STRATA_API WatchHandle {
 public:
  virtual ~WatchHandle();
};

/// News of changes, whoever made them: what a cache above must forget.
class STRATA_API Watch : public Capability {
 public:
  static constexpr CapabilityId kId = CapabilityId::watch;
  /// `changed` is called with a key that changed or expired, from any thread, after the change can
  /// be read; it may come more often than needed, never less. It must be quick and must not call
  /// the engine. An empty key with `all` set: anything in the keyspace may have changed.
  using Listener = std::function<void(const KeyRef& key, bool all)>;
  virtual Result<std::unique_ptr<WatchHandle>> watch(const Range& range, Listener changed) = 0;

 protected:
  ~Watch() = default;
};

}  // namespace strata
