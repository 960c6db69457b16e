// From a batch to what each of its keys becomes.
#include "backends/hybridlog/write_plan.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "codec/physical_key.h"
#include "contract/patch.h"

namespace strata::backends::hybridlog {

namespace {

/// Which planned key a batch means; keys borrow from the plan's own order of adding.
class KeyTable {
 public:
  explicit KeyTable(std::size_t expected) { by_hash_.reserve(expected); }
  template <class Plan>
  std::uint32_t find_or_add(Plan& plan, const KeyRef& key, std::uint64_t seed) {
    auto& added = plan.add(key, seed);
    const auto [from, to] = by_hash_.equal_range(added.key.hash());
    for (auto at = from; at != to; ++at) {
      if (plan.keys[at->second].key.is(added.key)) {
        --plan.count;
        return at->second;
      }
    }
    const auto index = static_cast<std::uint32_t>(plan.count - 1);
    by_hash_.emplace(added.key.hash(), index);
    return index;
  }

 private:
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_hash_;
};

}  // namespace

Result<> Writer::make_plan(const WriteBatch& batch, Plan& plan) {
  plan.count = 0;
  plan.reads = plan.needs_time = false;
  plan.conditions.clear();
  plan.ranges.clear();
  const auto effects = batch.effects();
  if (effects.size() == 1 && batch.conditions().empty() &&
      effects[0].kind != EffectKind::delete_range) {
    plan.add(effects[0].key, parts_.seed).effects.push_back(0);
  } else {
    KeyTable table(effects.size() + batch.conditions().size());
    for (const Condition& condition : batch.conditions()) {
      const std::uint32_t index = table.find_or_add(plan, condition.key, parts_.seed);
      plan.keys[index].reads = true;
      plan.conditions.push_back(index);
    }
    for (std::size_t i = 0; i < effects.size(); ++i) {
      if (effects[i].kind == EffectKind::delete_range) {
        STRATA_LET(std::vector<Bytes> keys, keys_in_range(effects[i]));
        Plan::KeyRange& range = plan.ranges.emplace_back();
        range.keys = std::move(keys);
        codec::put_physical_key(range.begin, effects[i].key);
        range.end = codec::physical_end(effects[i].key.space, effects[i].value);
        for (const Bytes& key : range.keys) {
          table.find_or_add(plan, {effects[i].key.space, key}, parts_.seed);
        }
        for (std::size_t k = 0; k < plan.count; ++k) {
          Planned& planned = plan.keys[k];
          const KeyRef key = planned.key.ref();
          if (key.space != effects[i].key.space || key.key < effects[i].key.key ||
              (!effects[i].value.empty() && key.key >= effects[i].value)) {
            continue;
          }
          planned.effects.push_back(static_cast<std::uint32_t>(i));
        }
        continue;
      }
      const std::uint32_t index = table.find_or_add(plan, effects[i].key, parts_.seed);
      plan.keys[index].effects.push_back(static_cast<std::uint32_t>(i));
    }
  }
  plan.order.resize(plan.count);
  for (std::uint32_t k = 0; k < plan.count; ++k) {
    plan.order[k] = k;
    Planned& planned = plan.keys[k];
    // Effects before the last put do not count; the one that begins says what is stood on.
    std::size_t first = planned.effects.size();
    while (first > 0 && effects[planned.effects[first - 1]].kind != EffectKind::put) --first;
    if (first > 0) {
      planned.effects.erase(planned.effects.begin(),
                            planned.effects.begin() + static_cast<std::ptrdiff_t>(first - 1));
    }
    // A plain put stands on nothing; one that is taken back in the same batch does.
    for (const std::uint32_t e : planned.effects) {
      const EffectKind kind = effects[e].kind;
      planned.reads |=
          kind != EffectKind::put && (e == planned.effects[0] || kind != EffectKind::patch);
    }
    if (!planned.effects.empty() && effects[planned.effects[0]].kind != EffectKind::put) {
      for (const std::uint32_t e : planned.effects) {
        planned.reads_value |=
            effects[e].kind == EffectKind::patch || effects[e].kind == EffectKind::expire;
      }
    }
    plan.reads |= planned.reads;
    plan.needs_time |= planned.reads || planned.effects.size() > 1;
  }
  std::ranges::sort(plan.order, {}, [&](std::uint32_t k) { return plan.keys[k].key.hash(); });
  return {};
}

Result<std::vector<Bytes>> Writer::keys_in_range(const Effect& range) {
  std::vector<Bytes> found;
  const auto add = [&](BytesView physical) {
    const BytesView key = physical.substr(codec::kKeyspaceBytes);
    if (physical.substr(0, codec::kKeyspaceBytes) !=
        BytesView(codec::PhysicalKey({range.key.space, {}}).view())) {
      return false;
    }
    if (!range.value.empty() && key >= range.value) return false;
    if (key >= range.key.key) found.emplace_back(key);
    return true;
  };
  if (parts_.ordered == nullptr) {
    std::uint64_t hash = 0;
    do {
      STRATA_LET(hash, reader_.visit_keys(hash, 1024, [&](BytesView physical) {
        static_cast<void>(add(physical));
      }));
    } while (hash != 0);
    return found;
  }
  Bytes from;
  codec::put_physical_key(from, range.key);
  bool inclusive = true;
  KeyBlock block;
  while (true) {
    block.clear();
    {
      const Epoch::Guard guard(parts_.epoch);
      parts_.ordered->collect({from, inclusive, false}, false, kRangeKeys, block);
    }
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (!add(block[i])) return found;
    }
    if (block.size() < kRangeKeys) return found;
    from = block[block.size() - 1];
    inclusive = false;
  }
}

Result<> Writer::read(Plan& plan) {
  if (!plan.reads) return {};
  for (std::size_t k = 0; k < plan.count; ++k) {
    Planned& planned = plan.keys[k];
    if (!planned.reads) continue;
    planned.before.value.clear();
    planned.before.info = RecordInfo{};
    STRATA_TRY(reader_.newest(planned.key, planned.reads_value, planned.before));
  }
  return {};
}

std::optional<std::size_t> Writer::failed_condition(const WriteBatch& batch, const Plan& plan,
                                                    std::int64_t now_ms) {
  for (std::size_t i = 0; i < batch.conditions().size(); ++i) {
    const Condition& condition = batch.conditions()[i];
    const Newest& before = plan.keys[plan.conditions[i]].before;
    const bool there = is_alive(before, now_ms);
    bool holds = false;
    switch (condition.kind) {
      case ConditionKind::absent:
        holds = !there;
        break;
      case ConditionKind::present:
        holds = there;
        break;
      case ConditionKind::unchanged:
        holds = condition.version == (there ? Version{before.version} : Version{});
        break;
    }
    if (!holds) return i;
  }
  return std::nullopt;
}

Result<> Writer::compute(const WriteBatch& batch, Plan& plan, std::int64_t now_ms) {
  for (std::size_t k = 0; k < plan.count; ++k) {
    STRATA_TRY(compute_one(batch, plan.keys[k], now_ms));
    STRATA_TRY(settle(plan.keys[k]));
  }
  return {};
}

Result<> Writer::compute_one(const WriteBatch& batch, Planned& planned, std::int64_t now_ms) {
  using Becomes = Planned::Becomes;
  planned.becomes = Becomes::same;
  if (planned.effects.empty()) return {};
  bool there = planned.reads && is_alive(planned.before, now_ms);
  const bool was_there = there;
  bool changed = false;
  // What expires at once is absent for what follows in the same batch.
  const auto alive = [&] {
    const std::int64_t expires_ms = planned.attributes.expires_ms;
    return there && (expires_ms == kNeverExpires || expires_ms > now_ms);
  };
  if (there) {
    planned.attributes = planned.before.info;
    planned.value = planned.before.value.view();
  }
  for (const std::uint32_t e : planned.effects) {
    const Effect& effect = batch.effects()[e];
    switch (effect.kind) {
      case EffectKind::put:
        there = changed = true;
        planned.attributes = effect.attributes;
        planned.value = effect.value;
        break;
      case EffectKind::remove:
      case EffectKind::delete_range:
        changed |= there;
        there = false;
        break;
      case EffectKind::patch: {
        const BytesView patched_from = alive() ? planned.value : BytesView{};
        if (!alive()) planned.attributes = {};
        STRATA_LET(Bytes patched, contract::apply_patch(patched_from, contract::Patch::of(effect),
                                                        limits_.value_bytes_max));
        planned.own = std::move(patched);
        planned.value = planned.own;
        there = changed = true;
        break;
      }
      case EffectKind::expire:
        if (!alive()) break;
        planned.attributes.expires_ms = effect.attributes.expires_ms;
        changed = true;
        if (effect.attributes.expires_ms != kNeverExpires &&
            effect.attributes.expires_ms <= now_ms) {
          there = false;
        }
        break;
    }
  }
  if (there) {
    planned.becomes = changed ? Becomes::record : Becomes::same;
  } else if (was_there) {
    planned.becomes = Becomes::tombstone;
  } else if (changed && planned.before.there && !planned.before.tombstone) {
    planned.becomes = Becomes::tombstone;  // what had expired, written and removed in one batch
  }
  return {};
}

Result<> Writer::settle(Planned& planned) {
  using Becomes = Planned::Becomes;
  planned.record = {};
  planned.record.key = &planned.key;
  if (planned.becomes == Becomes::tombstone) planned.record.flags = kTombstone;
  if (planned.becomes != Becomes::record) return {};
  if (parts_.ordered != nullptr) {
    planned.physical.clear();
    codec::put_physical_key(planned.physical, planned.key.ref());
  }
  encode_attributes(planned.attributes, planned.head);
  planned.record.attributes = planned.head;
  if (!planned.head.empty()) planned.record.flags |= kAttributes;
  if (planned.value.size() <= kInlineValueBytesMax) {
    planned.record.value = planned.value;
    return {};
  }
  STRATA_LET(planned.extent, parts_.extents->write(planned.value));
  planned.reference.clear();
  planned.extent->encode(planned.reference);
  planned.record.value = planned.reference;
  planned.record.flags |= kExtent;
  return {};
}

}  // namespace strata::backends::hybridlog
