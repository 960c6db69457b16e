// How a MemoryEngine commits: everything that can be refused is refused first, then the effects
// apply one by one, and none of them can fail.
#include <map>

#include "backends/memory/memory_engine.h"
#include "base/check.h"
#include "contract/check.h"
#include "contract/patch.h"

namespace strata::backends::memory {

namespace {

/// What a commit gives back beside its own work: enough to keep ahead of what commits leave.
constexpr std::size_t kSweptPerCommit = 8;
constexpr std::size_t kReclaimedPerEffect = 2;
constexpr std::size_t kReclaimedPerCommit = 8;

/// Copies the values of puts while no lock is held.
std::vector<Payload> payloads_of(const WriteBatch& batch) {
  std::vector<Payload> payloads(batch.effects().size());
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    const Effect& effect = batch.effects()[i];
    if (effect.kind == EffectKind::put) payloads[i] = std::make_shared<const Bytes>(effect.value);
  }
  return payloads;
}

bool has_patch(const WriteBatch& batch) {
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::patch) return true;
  }
  return false;
}

Range range_of(const Effect& effect) {
  return {effect.key.space, Bytes(effect.key.key), Bytes(effect.value)};
}

/// Lengths of values as the effects of a batch make them; nothing: not touched so far.
class PlannedLengths {
 public:
  void set(KeyRef key, std::uint64_t bytes) { lengths_[key] = bytes; }
  void remove_range(const Effect& effect) {
    const Range range = range_of(effect);
    for (auto& [key, bytes] : lengths_) {
      if (key.space == range.space && range.contains(key.key)) bytes = 0;
    }
    ranges_.push_back(range);
  }
  std::optional<std::uint64_t> find(KeyRef key) const {
    if (const auto found = lengths_.find(key); found != lengths_.end()) return found->second;
    for (const Range& range : ranges_) {
      if (key.space == range.space && range.contains(key.key)) return 0;
    }
    return std::nullopt;
  }

 private:
  std::map<KeyRef, std::uint64_t> lengths_;
  std::vector<Range> ranges_;
};

}  // namespace

std::optional<std::size_t> MemoryEngine::failed_condition(const WriteBatch& batch,
                                                          Sight now) const {
  for (std::size_t i = 0; i < batch.conditions().size(); ++i) {
    const Condition& condition = batch.conditions()[i];
    const Revision* revision = store_.find(condition.key, now);
    bool holds = false;
    switch (condition.kind) {
      case ConditionKind::absent:
        holds = revision == nullptr;
        break;
      case ConditionKind::present:
        holds = revision != nullptr;
        break;
      case ConditionKind::unchanged:
        holds = condition.version == (revision == nullptr ? Version{} : revision->version);
        break;
    }
    if (!holds) return i;
  }
  return std::nullopt;
}

Result<> MemoryEngine::check_patches(const WriteBatch& batch, Sight now) const {
  if (!has_patch(batch)) return {};
  PlannedLengths planned;
  for (const Effect& effect : batch.effects()) {
    switch (effect.kind) {
      case EffectKind::put:
        planned.set(effect.key, effect.value.size());
        break;
      case EffectKind::remove:
        planned.set(effect.key, 0);
        break;
      case EffectKind::delete_range:
        planned.remove_range(effect);
        break;
      case EffectKind::expire: {
        // A time that has passed makes the record absent, so that a patch begins with nothing.
        const std::int64_t expires_ms = effect.attributes.expires_ms;
        if (expires_ms != kNeverExpires && expires_ms <= now.time_ms) planned.set(effect.key, 0);
        break;
      }
      case EffectKind::patch: {
        std::optional<std::uint64_t> before = planned.find(effect.key);
        if (!before) {
          const Revision* revision = store_.find(effect.key, now);
          before = revision == nullptr ? 0 : revision->payload->size();
        }
        STRATA_LET(const std::uint64_t after,
                   contract::patched_bytes(*before, contract::Patch::of(effect),
                                           limits().value_bytes_max));
        planned.set(effect.key, after);
        break;
      }
    }
  }
  return {};
}

Result<Commit> MemoryEngine::commit(const WriteBatch& batch, const WriteOptions& options) {
  STRATA_TRY(contract::check_limits(batch, limits()));
  STRATA_TRY(contract::check_durability(options.durability, limits()));
  std::vector<Payload> payloads = payloads_of(batch);

  const base::WriterLock lock(mutex_);
  STRATA_TRY(check_writable());
  const Sight now{kPresent, clock_.wall_ms()};
  if (const auto failed = failed_condition(batch, now)) return Commit{{}, failed};
  STRATA_TRY(check_patches(batch, now));
  Commit done{store_.version(), {}};
  if (!batch.effects().empty()) done.version = store_.next_version();
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    apply(batch.effects()[i], std::move(payloads[i]), done.version, now);
  }
  sweep(kSweptPerCommit);
  store_.reclaim(kReclaimedPerCommit + kReclaimedPerEffect * payloads.size());
  return done;
}

void MemoryEngine::apply(const Effect& effect, Payload payload, Version version, Sight now) {
  if (effect.kind == EffectKind::put) {
    store_.put(effect.key, {version, effect.attributes, std::move(payload)});
    return;
  }
  if (effect.kind == EffectKind::delete_range) {
    store_.remove_range(range_of(effect), version);
    return;
  }
  const Revision* before = store_.find(effect.key, now);
  if (effect.kind == EffectKind::patch) {
    const BytesView bytes = before == nullptr ? BytesView{} : BytesView(*before->payload);
    Result<Bytes> after =
        contract::apply_patch(bytes, contract::Patch::of(effect), limits().value_bytes_max);
    STRATA_CHECK(after.has_value());  // check_patches() has seen it
    RecordAttributes attributes = before == nullptr ? RecordAttributes{} : before->attributes;
    store_.put(effect.key,
               {version, std::move(attributes), std::make_shared<const Bytes>(*std::move(after))});
    return;
  }
  if (before == nullptr) return;
  if (effect.kind == EffectKind::remove) {
    store_.remove(effect.key, version);
    return;
  }
  Revision changed{version, before->attributes, before->payload};
  changed.attributes.expires_ms = effect.attributes.expires_ms;
  store_.put(effect.key, std::move(changed));
}

std::size_t MemoryEngine::sweep(std::size_t records) {
  const std::int64_t now_ms = clock_.wall_ms();
  std::size_t swept = 0;
  Version version;
  for (; swept < records; ++swept) {
    const std::optional<KeyRef> key = store_.first_expired(now_ms);
    if (!key) break;
    if (swept == 0) version = store_.next_version();
    const StoredKey expired{key->space, Bytes(key->key)};
    const std::int64_t expired_ms = store_.chain(*key)->newest.attributes.expires_ms;
    store_.remove(expired.ref(), version, expired_ms);
  }
  return swept;
}

}  // namespace strata::backends::memory
