#include "backends/rocksdb/commit_plan.h"

#include <algorithm>

#include "base/check.h"
#include "contract/patch.h"

namespace strata::backends::rocksdb {

CommitPlan::CommitPlan(const WriteBatch& batch, std::int64_t now_ms)
    : batch_(batch), now_ms_(now_ms) {
  std::vector<KeyRef> keys;
  keys.reserve(batch.effects().size() + batch.conditions().size());
  for (const Condition& condition : batch.conditions()) keys.push_back(condition.key);
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::delete_range) {
      has_ranges_ = true;
    } else {
      keys.push_back(effect.key);
    }
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  slots_.resize(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) slots_[i].key = keys[i];
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::patch || effect.kind == EffectKind::expire) {
      slot(effect.key).needs_value = true;
    }
  }
}

const CommitPlan::Slot* CommitPlan::find(const KeyRef& key) const {
  const auto at = std::ranges::lower_bound(slots_, key, {}, &Slot::key);
  return at != slots_.end() && at->key == key ? &*at : nullptr;
}

CommitPlan::Slot& CommitPlan::slot(const KeyRef& key) {
  const Slot* found = find(key);
  STRATA_CHECK(found != nullptr);
  return slots_[static_cast<std::size_t>(found - slots_.data())];
}

Result<> CommitPlan::found(Slot& slot, BytesView record) {
  STRATA_LET(slot.stored, codec::parse_record(record, codec::Checksum::none, slot.key.key));
  if (!slot.needs_value) slot.stored->value = {};
  slot.visible = live(slot.stored->info);
  return {};
}

std::optional<std::size_t> CommitPlan::refused() const {
  const std::span<const Condition> conditions = batch_.conditions();
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Slot* slot = find(conditions[i].key);
    STRATA_CHECK(slot != nullptr);
    const Version version = slot->visible ? slot->stored->info.version : Version{};
    bool holds = false;
    switch (conditions[i].kind) {
      case ConditionKind::absent:
        holds = !slot->visible;
        break;
      case ConditionKind::present:
        holds = slot->visible;
        break;
      case ConditionKind::unchanged:
        holds = version == conditions[i].version;
        break;
    }
    if (!holds) return i;
  }
  return std::nullopt;
}

Result<> CommitPlan::apply(std::uint64_t value_bytes_max) {
  // From here on a slot's attributes and value are those of the visible record as it stands.
  for (Slot& slot : slots_) {
    if (!slot.visible) continue;
    slot.attributes = slot.stored->info;
    slot.value = slot.stored->value;
  }
  for (const Effect& effect : batch_.effects()) {
    switch (effect.kind) {
      case EffectKind::put: {
        Slot& to = slot(effect.key);
        to.outcome = Outcome::put;
        to.attributes = effect.attributes;
        to.value = effect.value;
        to.visible = live(to.attributes);
        break;
      }
      case EffectKind::remove: {
        Slot& gone = slot(effect.key);
        gone.outcome = Outcome::removed;
        gone.visible = false;
        break;
      }
      case EffectKind::patch:
        STRATA_TRY(patch(effect, value_bytes_max));
        break;
      case EffectKind::expire: {
        Slot& to = slot(effect.key);
        if (!to.visible) break;
        to.outcome = Outcome::put;
        to.attributes.expires_ms = effect.attributes.expires_ms;
        to.visible = live(to.attributes);
        break;
      }
      case EffectKind::delete_range:
        remove_range(effect);
        break;
    }
  }
  return {};
}

Result<> CommitPlan::patch(const Effect& effect, std::uint64_t value_bytes_max) {
  Slot& to = slot(effect.key);
  if (!to.visible) {
    to.attributes = {};
    to.value = {};
  }
  STRATA_LET(Bytes after,
             contract::apply_patch(to.value, contract::Patch::of(effect), value_bytes_max));
  to.patched = std::move(after);
  to.value = to.patched;
  to.outcome = Outcome::put;
  to.visible = true;
  return {};
}

void CommitPlan::remove_range(const Effect& effect) {
  for (Slot& slot : slots_) {
    if (slot.key.space != effect.key.space || slot.key.key < effect.key.key) continue;
    if (!effect.value.empty() && slot.key.key >= effect.value) continue;
    slot.outcome = Outcome::removed;
    slot.in_range = true;
    slot.visible = false;
  }
}

}  // namespace strata::backends::rocksdb
