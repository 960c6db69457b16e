// How a FileEngine commits: conditions and the one effect under the locks of all keys they name.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "backends/file/file_engine.h"
#include "contract/check.h"
#include "contract/patch.h"

namespace strata::backends::file {

namespace {

/// Earlier writes that a commit makes durable when their time has come.
constexpr std::size_t kSettledPerCommit = 4;

std::vector<unsigned> all_tops() {
  std::vector<unsigned> tops(kTops);
  std::iota(tops.begin(), tops.end(), 0u);
  return tops;
}

std::vector<unsigned> tops_of(const WriteBatch& batch) {
  std::vector<unsigned> tops;
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::delete_range) return all_tops();
    tops.push_back(top_of(place_of(effect.key.key).leaf));
  }
  for (const Condition& condition : batch.conditions()) {
    tops.push_back(top_of(place_of(condition.key.key).leaf));
  }
  std::ranges::sort(tops);
  tops.erase(std::unique(tops.begin(), tops.end()), tops.end());
  return tops;
}

bool is_bare_range(const WriteBatch& batch) {
  return batch.conditions().empty() && !batch.effects().empty() &&
         batch.effects().front().kind == EffectKind::delete_range;
}

Range range_of(const Effect& effect) {
  return {effect.key.space, Bytes(effect.key.key), Bytes(effect.value)};
}

}  // namespace

Result<Commit> FileEngine::commit(const WriteBatch& batch, const WriteOptions& options) {
  STRATA_TRY(check_writable());
  if (batch.effects().size() > 1) {
    return Error(Code::not_supported,
                 fmt::format("the backend file writes one record at a time, not a batch of {}",
                             batch.effects().size()));
  }
  STRATA_TRY(contract::check_limits(batch, limits()));
  STRATA_TRY(contract::check_durability(options.durability, limits()));
  const Durability durability =
      options.durability == Durability::store_default ? options_.durability : options.durability;
  Commit done;
  if (is_bare_range(batch)) {
    STRATA_LET(done.version, meta_.take_version());
    if (Space* const space = find_space(batch.effects().front().key.space)) {
      // What is gone already must be durably gone, too.
      if (durability == Durability::commit) STRATA_TRY(records_.settle(true, SIZE_MAX, stripes_));
      // Folder by folder, so that writers elsewhere need not wait for all of it.
      for (unsigned top = 0; top < kTops; ++top) {
        STRATA_TRY(remove_range(*space, range_of(batch.effects().front()), top, durability,
                                stripes_.lock(top)));
      }
    }
  } else {
    const Stripes::Guard guard = stripes_.lock(tops_of(batch));
    STRATA_LET(done.failed, failed_condition(batch, guard));
    if (!done.applied()) return done;
    if (durability == Durability::commit) STRATA_TRY(settle_conditions(batch, guard));
    STRATA_LET(done.version, meta_.take_version());
    for (const Effect& effect : batch.effects()) {
      STRATA_TRY(apply(effect, done.version, durability, guard));
    }
  }
  STRATA_TRY(records_.settle(false, kSettledPerCommit, stripes_));
  return done;
}

Result<std::optional<std::size_t>> FileEngine::failed_condition(const WriteBatch& batch,
                                                                const Stripes::Guard& guard) {
  for (std::size_t i = 0; i < batch.conditions().size(); ++i) {
    const Condition& condition = batch.conditions()[i];
    std::optional<Sidecar> found;
    if (const std::optional<RecordId> id = locate(condition.key)) {
      STRATA_LET(found, records_.read(*id, nullptr, guard));
      if (found && is_expired(found->info)) found.reset();
    }
    bool holds = false;
    switch (condition.kind) {
      case ConditionKind::absent:
        holds = !found;
        break;
      case ConditionKind::present:
        holds = found.has_value();
        break;
      case ConditionKind::unchanged:
        holds = condition.version == (found ? found->info.version : Version{});
        break;
    }
    if (!holds) return std::optional<std::size_t>(i);
  }
  return std::optional<std::size_t>{};
}

Result<> FileEngine::settle_conditions(const WriteBatch& batch, const Stripes::Guard& guard) {
  // What a durable write stood on must not be undone by a crash that it survives.
  for (const Condition& condition : batch.conditions()) {
    if (const std::optional<RecordId> id = locate(condition.key)) {
      STRATA_TRY(records_.settle(*id, guard));
    }
  }
  return {};
}

Result<> FileEngine::apply(const Effect& effect, Version version, Durability durability,
                           const Stripes::Guard& guard) {
  const bool may_create = effect.kind == EffectKind::put || effect.kind == EffectKind::patch;
  Space* const space = may_create ? &make_space(effect.key.space) : find_space(effect.key.space);
  if (space == nullptr) return {};
  if (effect.kind == EffectKind::delete_range) {
    for (unsigned top = 0; top < kTops; ++top) {
      STRATA_TRY(remove_range(*space, range_of(effect), top, durability, guard));
    }
    return {};
  }
  Place place = place_of(effect.key.key);
  const RecordId id{space, place.leaf, std::move(place.name)};
  if (effect.kind == EffectKind::patch) return patch(id, effect, version, durability, guard);
  if (effect.kind == EffectKind::expire) return expire(id, effect, version, durability, guard);
  STRATA_LET(const Records::Before before, records_.before(id, guard));
  if (effect.kind == EffectKind::remove) return records_.remove(id, before, durability, guard);
  return put(id, before, effect.key.key, effect.value, effect.attributes, version, durability,
             guard);
}

Result<> FileEngine::put(const RecordId& id, const Records::Before& before, BytesView key,
                         BytesView value, const RecordAttributes& attributes, Version version,
                         Durability durability, const Stripes::Guard& guard) {
  const std::int64_t now_ms = clock_.wall_ms();
  const bool replaces = before.sidecar && !is_expired(before.sidecar->info);
  Sidecar next;
  next.key = key;
  next.value_file = value_file_name(id.name, version.value);
  next.content_type = guess_content_type(value, attributes);
  next.sha256 = codec::sha256(value);
  next.created_ms = replaces ? before.sidecar->created_ms : now_ms;
  next.modified_ms = now_ms;
  static_cast<RecordAttributes&>(next.info) = attributes;
  next.info.version = version;
  next.info.value_bytes = value.size();
  return records_.write(id, before, next, &value, durability, guard);
}

Result<> FileEngine::patch(const RecordId& id, const Effect& effect, Version version,
                           Durability durability, const Stripes::Guard& guard) {
  Value value;
  Records::Before before;
  STRATA_LET(before.sidecar, records_.read(id, &value, guard));
  RecordAttributes attributes;
  if (before.sidecar && !is_expired(before.sidecar->info)) {
    attributes = before.sidecar->info;
  } else {
    value.clear();
  }
  STRATA_LET(const Bytes patched, contract::apply_patch(value.view(), contract::Patch::of(effect),
                                                        limits().value_bytes_max));
  return put(id, before, effect.key.key, patched, attributes, version, durability, guard);
}

Result<> FileEngine::expire(const RecordId& id, const Effect& effect, Version version,
                            Durability durability, const Stripes::Guard& guard) {
  Records::Before before;
  STRATA_LET(before.sidecar, records_.read(id, nullptr, guard));
  if (!before.sidecar || is_expired(before.sidecar->info)) {
    // What was found must be as durable as the answer that stands on it.
    return durability == Durability::commit ? records_.settle(id, guard) : Result<>();
  }
  Sidecar next = *before.sidecar;  // with the same value file
  next.info.expires_ms = effect.attributes.expires_ms;
  next.info.version = version;
  next.modified_ms = clock_.wall_ms();
  return records_.write(id, before, next, nullptr, durability, guard);
}

Result<> FileEngine::remove_range(Space& space, const Range& range, unsigned top,
                                  Durability durability, const Stripes::Guard& guard) {
  const bool everything = range.begin.empty() && range.end.empty();
  STRATA_LET(const std::vector<Leaf> leaves, records_.leaves(space, top));
  for (const Leaf leaf : leaves) {
    STRATA_LET(const LeafFolder::Listing listing, records_.list(space, leaf, guard));
    std::vector<RecordId> removed;
    for (const auto& [name, files] : listing.records) {
      if (!files.meta && !files.next) continue;
      const RecordId id{&space, leaf, name};
      Result<std::optional<Sidecar>> found = records_.read(id, nullptr, guard);
      const bool damaged = !found && found.error().code() == Code::corruption;
      // Whether an unreadable record lies in part of the keyspace, nobody can tell.
      if (!found && !(damaged && everything)) return found.error();
      if (found && (!*found || !range.contains((*found)->key))) continue;
      const Records::Before before{damaged ? std::nullopt : *std::move(found), damaged};
      // One sync for all of a folder, below, instead of one for each record.
      STRATA_TRY(records_.remove(id, before, Durability::none, guard));
      removed.push_back(id);
    }
    if (durability != Durability::none) STRATA_TRY(records_.settle_removed(removed, guard));
  }
  return {};
}

}  // namespace strata::backends::file
