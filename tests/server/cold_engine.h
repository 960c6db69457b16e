// ColdEngine: the memory engine with one key whose reads wait until the test lets them go on.
//
// Threads: as Engine; release() from any thread, one at a time.
#pragma once

#include <vector>

#include "base/mutex.h"
#include "server/test_server.h"
#include "strata/capabilities.h"

namespace strata::server {

class ColdEngine final : public Engine, public AsyncReads {
 public:
  explicit ColdEngine(std::string cold_key) : cold_key_(std::move(cold_key)) {}
  ~ColdEngine() override = default;

  /// How many reads wait.
  std::size_t waiting() {
    const base::MutexLock lock(mutex_);
    return waiting_.size();
  }
  /// Ends all reads that wait, with `answer` if that is an error.
  void release(const Result<>& answer = {}) {
    std::vector<Waiting> waiting;
    {
      const base::MutexLock lock(mutex_);
      waiting.swap(waiting_);
    }
    for (Waiting& one : waiting) {
      one.then->complete(answer ? below_->mget(one.reads, one.options) : answer);
    }
  }

  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override {
    for (const Read& read : reads) {
      if (read.key.key != cold_key_) continue;
      const base::MutexLock lock(mutex_);
      waiting_.push_back({reads, options, &then});
      return std::nullopt;
    }
    return below_->mget(reads, options);
  }

  Result<> mget(std::span<Read> reads, const ReadOptions& options) override {
    return below_->mget(reads, options);
  }
  Result<Commit> commit(const WriteBatch& batch, const WriteOptions& options) override {
    return below_->commit(batch, options);
  }
  Result<> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                     ScanPage& page) override {
    return below_->scan_some(space, cursor, options, page);
  }
  Result<std::uint64_t> count(Keyspace space) override { return below_->count(space); }
  Stats stats() override { return below_->stats(); }
  Limits limits() const override { return below_->limits(); }
  Result<> close() override { return below_->close(); }

 protected:
  Capability* find(CapabilityId id) noexcept override {
    if (id == CapabilityId::async_reads) return static_cast<AsyncReads*>(this);
    if (id == CapabilityId::atomic_batch) return below_->as<AtomicBatch>();
    return nullptr;
  }

 private:
  struct Waiting {
    std::span<Read> reads;
    ReadOptions options;
    ReadCompletion* then;
  };
  const std::unique_ptr<Engine> below_ = memory_engine();
  const std::string cold_key_;
  base::Mutex mutex_;
  std::vector<Waiting> waiting_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::server
