// MetricsEngine: counts and times what passes through it, and changes nothing.
//
// Threads: as the engine below.
// Owns:    the engine below.
// Always:  it has exactly the capabilities of the engine below. Those whose calls are counted
//          (Ordered, Transactions, AsyncReads) are its own, the others are those of the engine
//          below.
#pragma once

#include <memory>
#include <span>

#include "layers/metrics/meters.h"
#include "layers/metrics/metrics.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::layers::metrics {

class MetricsEngine final : public Engine,
                            public Ordered,
                            public Transactions,
                            public AsyncReads,
                            public MetricsReader {
 public:
  MetricsEngine(std::unique_ptr<Engine> below, std::unique_ptr<Meters> meters);

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
  Result<> check_invariants() override { return below_->check_invariants(); }
  Limits limits() const override;
  Result<> close() override;
  // Ordered
  Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) override;
  Result<std::uint64_t> count_range(const Range& range, const Snapshot* at) override;
  // Transactions
  Result<std::unique_ptr<Transaction>> begin(const TransactionOptions& options) override;
  // AsyncReads
  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override;
  // MetricsReader
  MetricsReport report() const override { return meters_->report(); }

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  // Meters first: what still runs below at the end counts in them.
  const std::unique_ptr<Meters> meters_;
  const std::unique_ptr<Engine> below_;
  Ordered* const ordered_;            // of below_, or null
  Transactions* const transactions_;  // of below_, or null
  AsyncReads* const async_reads_;     // of below_, or null
};

}  // namespace strata::layers::metrics
