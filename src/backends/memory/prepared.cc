#include "backends/memory/prepared.h"

#include "base/check.h"
#include "base/quote.h"

namespace strata::backends::memory {

namespace {

Error busy(BytesView id) {
  return {Code::busy, "memory store: the prepared batch " + base::quote(id) +
                          " keeps what this batch would change"};
}

}  // namespace

Range range_of(const Effect& effect) {
  return {effect.key.space, Bytes(effect.key.key), Bytes(effect.value)};
}

void append_effect(const Effect& effect, WriteBatch& to) {
  switch (effect.kind) {
    case EffectKind::put:
      to.put(effect.key, effect.value, effect.attributes);
      break;
    case EffectKind::remove:
      to.remove(effect.key);
      break;
    case EffectKind::patch:
      to.patch(effect.key, effect.offset, effect.erase, effect.value);
      break;
    case EffectKind::expire:
      to.expire(effect.key, effect.attributes.expires_ms);
      break;
    case EffectKind::delete_range:
      to.delete_range(effect.key.space, effect.key.key, effect.value);
      break;
  }
}

void append_condition(const Condition& condition, WriteBatch& to) {
  switch (condition.kind) {
    case ConditionKind::absent:
      to.require_absent(condition.key);
      break;
    case ConditionKind::present:
      to.require_present(condition.key);
      break;
    case ConditionKind::unchanged:
      to.require_unchanged(condition.key, condition.version);
      break;
  }
}

void append_batch(const WriteBatch& from, WriteBatch& to) {
  for (const Effect& effect : from.effects()) append_effect(effect, to);
  for (const Condition& condition : from.conditions()) append_condition(condition, to);
}

Result<> Prepared::check_free(const WriteBatch& batch) const {
  if (empty()) return {};
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::delete_range) {
      STRATA_TRY(check_range(effect));
    } else {
      STRATA_TRY(check_key(effect.key));
    }
  }
  return {};
}

Result<> Prepared::check_free_to_prepare(const WriteBatch& batch) const {
  for (const Condition& condition : batch.conditions()) STRATA_TRY(check_key(condition.key));
  return check_free(batch);
}

Result<> Prepared::check_key(const KeyRef& key) const {
  const auto found = keys_.find({key.space, Bytes(key.key)});
  if (found != keys_.end()) return busy(found->second);
  for (const auto& [id, range] : ranges_) {
    if (range.space == key.space && range.contains(key.key)) return busy(id);
  }
  return {};
}

Result<> Prepared::check_range(const Effect& effect) const {
  const Range wanted = range_of(effect);
  const auto found = keys_.lower_bound({wanted.space, wanted.begin});
  if (found != keys_.end() && found->first.first == wanted.space &&
      wanted.contains(found->first.second)) {
    return busy(found->second);
  }
  for (const auto& [id, range] : ranges_) {
    const bool apart = (!range.end.empty() && range.end <= wanted.begin) ||
                       (!wanted.end.empty() && wanted.end <= range.begin);
    if (range.space == wanted.space && !apart) return busy(id);
  }
  return {};
}

void Prepared::add(BytesView id, const WriteBatch& batch) {
  const auto [added, fresh] = batches_.try_emplace(Bytes(id));
  STRATA_CHECK(fresh);
  append_batch(batch, added->second);
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::delete_range) {
      ranges_.emplace(id, range_of(effect));
    } else {
      keys_.emplace(Key{effect.key.space, Bytes(effect.key.key)}, id);
    }
  }
  // What it stands on must stay, too: finish() asks no condition again.
  for (const Condition& condition : batch.conditions()) {
    keys_.emplace(Key{condition.key.space, Bytes(condition.key.key)}, id);
  }
}

const WriteBatch* Prepared::find(BytesView id) const {
  const auto found = batches_.find(id);
  return found == batches_.end() ? nullptr : &found->second;
}

void Prepared::erase(BytesView id) {
  const auto found = batches_.find(id);
  STRATA_CHECK(found != batches_.end());
  std::erase_if(keys_, [&](const auto& kept) { return kept.second == id; });
  ranges_.erase(found->first);
  batches_.erase(found);
}

std::vector<Bytes> Prepared::ids() const {
  std::vector<Bytes> ids;
  for (const auto& [id, batch] : batches_) ids.push_back(id);
  return ids;
}

void Prepared::clear() {
  batches_.clear();
  keys_.clear();
  ranges_.clear();
}

}  // namespace strata::backends::memory
