// MemoryTransaction: reads a snapshot under its own writes, and commits if nobody was faster.
//
// Always:  what it wrote, and, if it is serializable, what it read, has not changed between its
//          snapshot and its commit; the snapshot it holds keeps the tombstones that prove it.
// Threads: one at a time. Borrows the engine.
#pragma once

#include <set>
#include <vector>

#include "backends/memory/memory_engine.h"
#include "contract/overlay.h"

namespace strata::backends::memory {

class MemoryTransaction final : public Transaction {
 public:
  MemoryTransaction(MemoryEngine& engine, std::unique_ptr<Snapshot> snapshot,
                    const TransactionOptions& options);

  Result<> mget(std::span<Read> reads, bool info_only) override;
  Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) override;
  WriteBatch& writes() override { return writes_; }
  Result<Commit> commit(const WriteOptions& options) override;
  Version read_version() const noexcept override { return read_version_; }

 private:
  Result<> check_going() const;
  Result<> check_unchanged(const VersionStore& store, Sight sight) const;

  MemoryEngine& engine_;
  std::unique_ptr<Snapshot> snapshot_;  // null once it is over
  const Version read_version_;
  const TransactionOptions options_;
  const std::int64_t began_ms_;
  WriteBatch writes_;
  contract::Overlay overlay_;
  std::set<std::pair<Keyspace, Bytes>> read_keys_;  // only if serializable
  std::vector<Range> read_ranges_;
};

}  // namespace strata::backends::memory
