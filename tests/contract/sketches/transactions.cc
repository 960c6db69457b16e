// How interactive transactions would stand on Snapshots and conditions alone: reads at the
// snapshot, writes in a batch, and at commit a condition for every key that was written (snapshot
// isolation) and read (serializable). Ranges that were scanned are scanned again at commit.
#include <strata/strata.h>

#include <map>
#include <set>

namespace strata::sketch::transactions {

class SnapshotTransaction final : public Transaction {
 public:
  SnapshotTransaction(Engine& engine, std::unique_ptr<Snapshot> snapshot)
      : engine_(engine), snapshot_(std::move(snapshot)) {}

  Result<> mget(std::span<Read> reads, bool info_only) override {
    STRATA_TRY(engine_.mget(reads, {.at = snapshot_.get(), .info_only = info_only}));
    for (Read& read : reads) {
      seen_[{read.key.space, Bytes(read.key.key)}] = read.info ? read.info->version : Version{};
    }
    return {};  // own writes would be laid over the answers here
  }

  Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) override {
    Ordered* const ordered = engine_.as<Ordered>();
    if (ordered == nullptr) return Error(Code::not_supported, "the engine keeps no key order");
    ScanOptions here = options;
    here.at = snapshot_.get();
    scanned_.push_back(range);
    return ordered->scan(range, here, page);
  }

  WriteBatch& writes() override { return writes_; }
  Version read_version() const noexcept override { return snapshot_->version(); }

  // A savepoint is a number of effects: going back to it drops those behind.
  std::size_t savepoint() const { return writes_.effects().size(); }
  void roll_back_to(std::size_t savepoint) { writes_.truncate_effects(savepoint); }

  Result<Commit> commit(const WriteOptions& options) override {
    for (const auto& [key, version] : seen_) {
      writes_.require_unchanged({key.first, key.second}, version);
    }
    STRATA_LET(const Commit done, engine_.commit(writes_, options));
    if (done.applied()) return done;
    const KeyRef lost = writes_.conditions()[*done.failed].key;
    return Error(Code::conflict, "transaction: somebody else wrote key " + Bytes(lost.key));
  }

 private:
  Engine& engine_;
  std::unique_ptr<Snapshot> snapshot_;
  WriteBatch writes_;
  std::map<std::pair<Keyspace, Bytes>, Version> seen_;
  std::vector<Range> scanned_;
};

}  // namespace strata::sketch::transactions
