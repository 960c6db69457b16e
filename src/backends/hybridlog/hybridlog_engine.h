// HybridlogEngine: the contract over the hybrid log's parts.
//
//   reader.h      gets            writer.h     batches, updates      scan.cc      pages, cursors
//   upkeep.h      the thread that flushes, grows, compacts, expires  checkpoint.h, recovery.h
//
// Format:  docs/formats/hybridlog.md
// Threads: as Engine. One thread of its own does the upkeep, unless the option says otherwise or
//          the store is read-only; then maintain() does it.
// Owns:    everything below its folder. Borrows: FileSystem and Clock.
// Always:  a read-only store changes no file; after close() every call fails with Code::closed.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "backends/hybridlog/checkpoint.h"
#include "backends/hybridlog/expirer.h"
#include "backends/hybridlog/parts.h"
#include "backends/hybridlog/reader.h"
#include "backends/hybridlog/upkeep.h"
#include "backends/hybridlog/writer.h"
#include "base/reader_gate.h"
#include "strata/backend.h"
#include "strata/capabilities.h"

namespace strata::backends::hybridlog {

class OpenSnapshot;

class HybridlogEngine final : public Engine,
                              public Ordered,
                              public AtomicBatch,
                              public Snapshots,
                              public Persistence,
                              public AsyncReads {
 public:
  static Result<std::unique_ptr<Engine>> open(const Options& options,
                                              const Environment& environment);
  ~HybridlogEngine() override;

  // Engine
  Result<std::optional<RecordInfo>> get(const KeyRef& key, Value& value,
                                        const ReadOptions& options) override;
  Result<> mget(std::span<Read> reads, const ReadOptions& options) override;
  Result<Commit> commit(const WriteBatch& batch, const WriteOptions& options) override;
  Version try_put(const KeyRef& key, BytesView value, const RecordAttributes& attributes,
                  const WriteOptions& options) override;
  Result<Commit> update(const KeyRef& key, UpdateFunction function,
                        const WriteOptions& options) override;
  Result<> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                     ScanPage& page) override;
  Result<std::uint64_t> count(Keyspace space) override;
  Result<Maintenance> maintain(std::uint32_t records) override;
  Stats stats() override;
  Limits limits() const override { return limits_; }
  Result<> check_invariants() override;
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

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  friend class OpenSnapshot;

  HybridlogEngine(const Options& options, const Environment& environment);
  /// Everything that may fail when a store opens, or opens again after a restore, whose versions
  /// then go on above `above`.
  Result<> start(std::uint64_t above);
  Result<> stop(bool save);

  /// Alone in the store, from its constructor to its destructor: nobody is at the gate or past it.
  class Alone {
   public:
    explicit Alone(HybridlogEngine& engine) : engine_(engine), alone_(engine.gate_) {
      engine_.open_.store(false);
      engine_.epoch_.wait(engine_.epoch_.turn());
    }
    ~Alone() { engine_.open_.store(!engine_.closed_, std::memory_order_release); }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

   private:
    HybridlogEngine& engine_;
    const base::ReaderGate::Alone alone_;
  };

  /// Reader::get_first() of a key of 8 to 16 bytes, past the gate. Inline: a processor holds some
  /// 64 stores that are not yet done; those of a get and of what the next one does before its first
  /// miss have to fit, or the two do not overlap (docs/adr/0009-short-ways.md).
  [[gnu::always_inline]] PlainRecord get_quickly(KeyRef key, Value& value);
  /// Whatever it takes. Not inline, so that the frame of get() holds nothing of it.
  [[gnu::noinline]] Result<std::optional<RecordInfo>> get_slowly(const KeyRef& key, Value& value,
                                                                 const ReadOptions& options);
  /// Writer::put_in_place(), past the gate, likewise; `look(index, hash)` finds the bucket.
  template <class Look>
  [[gnu::always_inline]] Version put_quickly(KeyRef key, BytesView value, std::uint64_t expected,
                                             Look look);
  /// Without a thread for the upkeep, every commit does a bit of it, on the long way.
  bool owes_upkeep(const Parts& parts) const noexcept {
    return !options_.upkeep_thread && parts.expiry.count() != 0;
  }
  Version put_all_quickly(std::span<const Effect> effects);
  /// The same for keys of all lengths, and in overflow buckets, too.
  [[gnu::noinline]] Version overwrite(const KeyRef& key, BytesView value, std::uint64_t expected);
  Result<Commit> commit_at_gate(const WriteBatch& batch, const WriteOptions& options);
  /// The short way of an update: the function is called with what get_quickly() finds where it can
  /// be overwritten, and what it makes of it is put in its place. Version{}: the long way has to be
  /// gone, which calls it again.
  struct UpdateScratch;
  Result<Version> update_quickly(const KeyRef& key, UpdateFunction function);
  [[gnu::noinline]] Result<Commit> update_at_gate(const KeyRef& key, UpdateFunction function,
                                                  const WriteOptions& options);

  Result<> check_open() const {
    if (!closed_) [[likely]]
      return {};
    return closed_error();
  }
  static Error closed_error();
  Result<> check_writable() const;
  /// Null for null; invalid_argument if the snapshot is of another engine.
  Result<const Sight*> sight_of(const Snapshot* at) const;
  void release(OpenSnapshot& snapshot) STRATA_EXCLUDES(snapshots_mutex_);
  void detach_snapshots() STRATA_EXCLUDES(snapshots_mutex_);
  Result<> copy_checkpoint(const std::string& from, const std::string& to);
  Result<> exchange(const std::string& from);

  class Pages;
  Result<> scan_ordered(Keyspace space, Bytes& cursor, const CursorOptions& options,
                        const Sight& sight, ScanPage& page);
  Result<> scan_hashes(Keyspace space, Bytes& cursor, const CursorOptions& options,
                       const Sight& sight, ScanPage& page);

  io::FileSystem& files_;
  base::Clock& clock_;
  const Options options_;
  const std::string folder_;  ///< empty: memory only
  const bool read_only_;
  const bool create_;
  const std::int64_t interval_ms_;  ///< 0: nothing is promised between checkpoints
  Limits limits_;

  /// Outlives the parts: who is inside may use them, and the rooms below, if open_ says so.
  Epoch epoch_;
  /// For what is done most, and in memory: it passes no gate. False: not open, or not now; ask at
  /// the gate. Release by who was alone; acquire.
  std::atomic<bool> open_{false};
  base::ReaderGate gate_;  ///< closed while the store is opened, restored or closed
  bool closed_ = true;     ///< changed alone in the gate
  // Made by start(), ended by stop(), alone in the gate.
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Expirer> expirer_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<Upkeep> upkeep_;

  base::Mutex restore_mutex_;
  base::Mutex snapshots_mutex_;
  std::set<OpenSnapshot*> snapshots_ STRATA_GUARDED_BY(snapshots_mutex_);
};

}  // namespace strata::backends::hybridlog
