// How a MemoryEngine commits: everything that can be refused is refused first, then the effects
// apply one by one, and none of them can fail.
#include <map>

#include "backends/memory/memory_engine.h"
#include "base/check.h"
#include "base/quote.h"
#include "contract/check.h"
#include "contract/patch.h"

namespace strata::backends::memory {

namespace {

/// What a commit gives back beside its own work: enough to keep ahead of what commits leave.
constexpr std::size_t kSweptPerCommit = 8;
constexpr std::size_t kReclaimedPerEffect = 2;
constexpr std::size_t kReclaimedPerCommit = 8;
constexpr std::size_t kPreparedIdBytesMax = 200;

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

/// What a batch lets watchers hear.
void touch(const Effect& effect, std::vector<Touched>& touched) {
  const bool whole = effect.kind == EffectKind::delete_range;
  touched.push_back(
      {effect.key.space, Bytes(effect.key.key), whole ? Bytes(effect.value) : Bytes(), whole});
}

/// Lengths of values as the effects of a batch make them; nothing: not touched so far.
class PlannedLengths {
 public:
  void set(const KeyRef& key, std::uint64_t bytes) { lengths_[key] = bytes; }
  void remove_range(const Effect& effect) {
    const Range range = range_of(effect);
    for (auto& [key, bytes] : lengths_) {
      if (key.space == range.space && range.contains(key.key)) bytes = 0;
    }
    ranges_.push_back(range);
  }
  std::optional<std::uint64_t> find(const KeyRef& key) const {
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
  return commit_if(batch, options, [](const VersionStore&) { return Result<>{}; });
}

Result<Commit> MemoryEngine::commit_if(const WriteBatch& batch, const WriteOptions& options,
                                       CommitGuard guard) {
  STRATA_TRY(contract::check_limits(batch, limits()));
  STRATA_TRY(contract::check_durability(options.durability, limits()));
  std::vector<Payload> payloads = payloads_of(batch);
  std::vector<Touched> touched;
  Commit done;
  {
    const base::WriterLock lock(mutex_);
    STRATA_TRY(check_writable());
    const Sight now{kPresent, clock_.wall_ms()};
    STRATA_TRY(prepared_.check_free(batch));
    STRATA_TRY(guard(store_));
    if (const auto failed = failed_condition(batch, now)) return Commit{{}, failed};
    STRATA_TRY(check_patches(batch, now));
    done.version = apply_all(batch, std::move(payloads), now, touched);
  }
  watchers_.tell(touched);
  return done;
}

Version MemoryEngine::apply_all(const WriteBatch& batch, std::vector<Payload> payloads, Sight now,
                                std::vector<Touched>& touched) {
  const auto effects = batch.effects();
  const Version version = effects.empty() ? store_.version() : store_.next_version();
  for (std::size_t i = 0; i < effects.size(); ++i) {
    apply(effects[i], std::move(payloads[i]), version, now);
    touch(effects[i], touched);
  }
  sweep(kSweptPerCommit, touched);
  store_.reclaim(kReclaimedPerCommit + kReclaimedPerEffect * effects.size());
  log_.publish(store_.version());
  return version;
}

void MemoryEngine::apply(const Effect& effect, Payload payload, Version version, Sight now) {
  if (effect.kind == EffectKind::put) {
    put(effect.key, {version, effect.attributes, std::move(payload)}, now);
    return;
  }
  if (effect.kind == EffectKind::delete_range) {
    store_.remove_range(range_of(effect), version);
    log_.add({version,
              ChangeKind::delete_range,
              effect.key.space,
              Bytes(effect.key.key),
              Bytes(effect.value),
              {}},
             nullptr);
    return;
  }
  const Revision* before = store_.find(effect.key, now);
  if (effect.kind == EffectKind::patch) {
    const BytesView bytes = before == nullptr ? BytesView{} : BytesView(*before->payload);
    Result<Bytes> after =
        contract::apply_patch(bytes, contract::Patch::of(effect), limits().value_bytes_max);
    STRATA_CHECK(after.has_value());  // check_patches() has seen it
    RecordAttributes attributes = before == nullptr ? RecordAttributes{} : before->attributes;
    put(effect.key,
        {version, std::move(attributes), std::make_shared<const Bytes>(*std::move(after))}, now);
    return;
  }
  if (before == nullptr) return;
  if (effect.kind == EffectKind::remove) {
    store_.remove(effect.key, version);
    log_.add({version, ChangeKind::remove, effect.key.space, Bytes(effect.key.key), {}, {}},
             nullptr);
    return;
  }
  Revision changed{version, before->attributes, before->payload};
  changed.attributes.expires_ms = effect.attributes.expires_ms;
  put(effect.key, std::move(changed), now);
}

void MemoryEngine::put(const KeyRef& key, Revision revision, Sight now) {
  const Chain* chain = store_.chain(key);
  const bool stored = chain != nullptr && chain->newest.payload != nullptr;
  if (stored && VersionStore::visible(*chain, now) == nullptr) {
    // What expired and was not swept yet ends here, and who follows the changes shall see it.
    log_.add({revision.version, ChangeKind::expired, key.space, Bytes(key.key), {}, {}}, nullptr);
  }
  log_.add({revision.version, ChangeKind::put, key.space, Bytes(key.key), {}, revision.attributes},
           revision.payload);
  store_.put(key, std::move(revision));
}

std::size_t MemoryEngine::sweep(std::size_t records, std::vector<Touched>& touched) {
  const std::int64_t now_ms = clock_.wall_ms();
  std::size_t swept = 0;
  Version version;
  for (; swept < records; ++swept) {
    const std::optional<KeyRef> key = store_.first_expired(now_ms);
    if (!key) break;
    if (swept == 0) version = store_.next_version();
    const std::int64_t expired_ms = store_.chain(*key)->newest.attributes.expires_ms;
    touched.push_back({key->space, Bytes(key->key), {}, false});
    log_.add({version, ChangeKind::expired, key->space, Bytes(key->key), {}, {}}, nullptr);
    store_.remove({key->space, touched.back().key}, version, expired_ms);
  }
  if (swept != 0) log_.publish(version);
  return swept;
}

Result<Commit> MemoryEngine::prepare(BytesView id, const WriteBatch& batch) {
  if (id.empty() || id.size() > kPreparedIdBytesMax) {
    return Error(Code::invalid_argument, "memory store: the id of a prepared batch has 1 to " +
                                             std::to_string(kPreparedIdBytesMax) + " bytes");
  }
  STRATA_TRY(contract::check_limits(batch, limits()));
  const base::WriterLock lock(mutex_);
  STRATA_TRY(check_writable());
  if (prepared_.find(id) != nullptr) {
    return Error(Code::invalid_argument,
                 "memory store: a batch is prepared under " + base::quote(id) + " already");
  }
  const Sight now{kPresent, clock_.wall_ms()};
  STRATA_TRY(prepared_.check_free_to_prepare(batch));
  if (const auto failed = failed_condition(batch, now)) return Commit{{}, failed};
  STRATA_TRY(check_patches(batch, now));
  prepared_.add(id, batch);
  return Commit{store_.next_version(), {}};
}

Result<Commit> MemoryEngine::finish(BytesView id, bool commit) {
  std::vector<Touched> touched;
  Commit done;
  {
    const base::WriterLock lock(mutex_);
    STRATA_TRY(check_writable());
    const WriteBatch* batch = prepared_.find(id);
    if (batch == nullptr) {
      return Error(Code::invalid_argument,
                   "memory store: no batch is prepared under " + base::quote(id));
    }
    if (commit) {
      const Sight now{kPresent, clock_.wall_ms()};
      done.version = apply_all(*batch, payloads_of(*batch), now, touched);
    } else {
      done.version = store_.next_version();
    }
    prepared_.erase(id);
  }
  watchers_.tell(touched);
  return done;
}

Result<std::vector<Bytes>> MemoryEngine::in_doubt() {
  const base::ReaderLock lock(mutex_);
  STRATA_TRY(check_open());
  return prepared_.ids();
}

}  // namespace strata::backends::memory
