// How a layer would change the bytes and keep the contract: lengths are the logical ones (kept in
// the record's extension), a patch becomes a put on the condition that nothing changed meanwhile,
// and conditions of the caller keep their indexes.
#include <strata/strata.h>

namespace strata::sketch::compress_layer {

struct Packed {
  Bytes bytes;
  std::uint8_t codec;
};
Packed pack(BytesView value);
Result<> unpack(std::uint8_t codec, Value& value);
std::uint64_t logical_bytes(const RecordInfo& info);
Bytes with_logical_bytes(const Bytes& extension, std::uint64_t bytes);
Result<Bytes> patched(BytesView value, const Effect& effect);

class Compress final : public Engine {
 public:
  explicit Compress(std::unique_ptr<Engine> below) : below_(std::move(below)) {}

  Result<> mget(std::span<Read> reads, const ReadOptions& options) override {
    STRATA_TRY(below_->mget(reads, options));
    for (Read& read : reads) {
      if (!read.info) continue;
      read.info->value_bytes = logical_bytes(*read.info);
      if (!options.info_only) STRATA_TRY(unpack(read.info->codec, read.value));
    }
    return {};
  }

  Result<Commit> commit(const WriteBatch& batch, const WriteOptions& options) override {
    while (true) {
      WriteBatch inner;
      for (const Condition& condition : batch.conditions()) repeat(condition, inner);
      for (const Effect& effect : batch.effects()) STRATA_TRY(translate(effect, inner));
      STRATA_LET(const Commit done, below_->commit(inner, options));
      if (done.applied() || *done.failed < batch.conditions().size()) return done;
      // Only a condition that a patch needed failed: somebody was faster, so once more.
    }
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
  // Snapshots are those of the engine below, handed through as they are.
  Capability* find(CapabilityId id) noexcept override {
    if (id == CapabilityId::snapshots) return below_->as<Snapshots>();
    if (id == CapabilityId::atomic_batch) return below_->as<AtomicBatch>();
    return nullptr;
  }

 private:
  static void repeat(const Condition& condition, WriteBatch& inner) {
    if (condition.kind == ConditionKind::absent) inner.require_absent(condition.key);
    if (condition.kind == ConditionKind::present) inner.require_present(condition.key);
    if (condition.kind == ConditionKind::unchanged) {
      inner.require_unchanged(condition.key, condition.version);
    }
  }
  Result<> translate(const Effect& effect, WriteBatch& inner) {
    Value value;
    RecordAttributes attributes = effect.attributes;
    if (effect.kind == EffectKind::patch) {
      STRATA_LET(std::optional<RecordInfo> info, get(effect.key, value));
      inner.require_unchanged(effect.key, info ? info->version : Version{});
      if (info) attributes = *info;
      STRATA_LET(const Bytes bytes, patched(value.view(), effect));
      put(inner, effect.key, bytes, std::move(attributes));
    } else if (effect.kind == EffectKind::put) {
      put(inner, effect.key, effect.value, std::move(attributes));
    } else if (effect.kind == EffectKind::remove) {
      inner.remove(effect.key);
    } else if (effect.kind == EffectKind::expire) {
      inner.expire(effect.key, effect.attributes.expires_ms);
    } else {
      inner.delete_range(effect.key.space, effect.key.key, effect.value);
    }
    return {};
  }
  static void put(WriteBatch& inner, const KeyRef& key, BytesView value,
                  RecordAttributes attributes) {
    const Packed packed = pack(value);
    attributes.codec = packed.codec;
    attributes.extension = with_logical_bytes(attributes.extension, value.size());
    inner.put(key, packed.bytes, attributes);
  }

  std::unique_ptr<Engine> below_;
};

}  // namespace strata::sketch::compress_layer
