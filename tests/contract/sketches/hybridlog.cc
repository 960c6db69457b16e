// How a log-structured engine would answer reads: small values are copied into the caller's Value,
// extents shared, cold records read outside the epoch with the operation parked.
#include <strata/strata.h>

namespace strata::sketch::hybridlog {

struct RecordView {
  RecordInfo info;
  BytesView bytes;
  std::shared_ptr<const void> extent;  // of large values; null: the bytes live in a log page
};

struct Epoch {
  ~Epoch() {}  // leaves the slot
};

class HybridLogReads final : public AsyncReads {
 public:
  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override {
    std::size_t cold = 0;
    {
      const Epoch epoch;  // hash all, prefetch buckets, then records, then copy
      for (Read& read : reads) cold += answer(read, options) ? 0u : 1u;
    }
    if (cold == 0) return Result<>();
    submit(reads, then);  // all cold ones in flight together; the last one completes
    return std::nullopt;
  }

 private:
  // False: the record lies on disk, and `read` is left for the device.
  bool answer(Read& read, const ReadOptions& options) {
    const std::optional<RecordView> found = in_memory(read.key, options.at);
    if (!found) return false;
    read.info = found->info;
    if (options.info_only) return true;
    if (found->extent != nullptr) {
      read.value.pin(found->bytes, found->extent);
    } else {
      read.value.assign(found->bytes);
    }
    return true;
  }
  std::optional<RecordView> in_memory(const KeyRef& key, const Snapshot* at);
  void submit(std::span<Read> reads, ReadCompletion& then);
};

// A write takes its version under the bucket's lock; conditions are judged there, too.
Result<Commit> apply_locked(const WriteBatch& batch, Version now,
                            FunctionRef<Version(KeyRef)> newest, FunctionRef<void(Effect)> link) {
  for (std::size_t i = 0; i < batch.conditions().size(); ++i) {
    const Condition& condition = batch.conditions()[i];
    const Version version = newest(condition.key);
    const bool holds = condition.kind == ConditionKind::absent    ? version == Version{}
                       : condition.kind == ConditionKind::present ? version != Version{}
                                                                  : version == condition.version;
    if (!holds) return Commit{{}, i};
  }
  for (const Effect& effect : batch.effects()) link(effect);
  return Commit{now, {}};
}

}  // namespace strata::sketch::hybridlog
