// The effects of a batch by key, and the merge of its keys with pages of the view below.
#include "contract/overlay.h"

#include <algorithm>
#include <optional>

#include "contract/patch.h"

namespace strata::contract {

namespace {

bool covers(const Effect& range, const KeyRef& key) {
  return key.space == range.key.space && key.key >= range.key.key &&
         (range.value.empty() || key.key < range.value);
}

bool alive(const RecordInfo& info, std::int64_t time_ms) {
  return info.expires_ms == kNeverExpires || info.expires_ms > time_ms;
}

}  // namespace

void Overlay::refresh() {
  if (drops_ != batch_.drops()) {
    by_key_.clear();
    ranges_.clear();
    indexed_ = 0;
    drops_ = batch_.drops();
  }
  const auto effects = batch_.effects();
  for (; indexed_ < effects.size(); ++indexed_) {
    const Effect& effect = effects[indexed_];
    if (effect.kind == EffectKind::delete_range) {
      ranges_.push_back(indexed_);
    } else {
      by_key_[effect.key].push_back(indexed_);
    }
  }
}

bool Overlay::touches(const KeyRef& key) const {
  if (by_key_.contains(key)) return true;
  const auto effects = batch_.effects();
  return std::ranges::any_of(ranges_,
                             [&](std::size_t range) { return covers(effects[range], key); });
}

Result<> Overlay::apply(const KeyRef& key, BytesView below, bool info_only, std::int64_t time_ms,
                        State& state) const {
  const auto effects = batch_.effects();
  const auto found = by_key_.find(key);
  static const std::vector<std::size_t> kNone;
  const std::vector<std::size_t>& own = found == by_key_.end() ? kNone : found->second;
  auto range = ranges_.begin();
  const auto clear_before = [&](std::size_t end) {
    for (; range != ranges_.end() && *range < end; ++range) {
      if (covers(effects[*range], key)) state.there = false;
    }
  };
  for (const std::size_t place : own) {
    clear_before(place);
    STRATA_TRY(apply_one(effects[place], below, info_only, time_ms, state));
  }
  clear_before(effects.size());
  return {};
}

Result<> Overlay::apply_one(const Effect& effect, BytesView below, bool info_only,
                            std::int64_t time_ms, State& state) const {
  const bool there = state.there && alive(state.info, time_ms);
  const auto set_attributes = [&](const RecordAttributes& attributes) {
    static_cast<RecordAttributes&>(state.info) = attributes;
  };
  switch (effect.kind) {
    case EffectKind::put:
      set_attributes(effect.attributes);
      state.there = true;
      state.own_value = true;
      state.info.value_bytes = effect.value.size();
      if (!info_only) state.value = effect.value;
      return {};
    case EffectKind::remove:
      state.there = false;
      return {};
    case EffectKind::expire:
      state.there = there;
      state.info.expires_ms = effect.attributes.expires_ms;
      return {};
    case EffectKind::patch: {
      if (!there) {
        set_attributes({});
        state.info.value_bytes = 0;
        state.value.clear();
        state.own_value = true;
      }
      const Patch patch = Patch::of(effect);
      STRATA_LET(state.info.value_bytes,
                 patched_bytes(state.info.value_bytes, patch, value_bytes_max_));
      if (!info_only) {
        const BytesView before = state.own_value ? BytesView(state.value) : below;
        STRATA_LET(state.value, apply_patch(before, patch, value_bytes_max_));
      }
      state.own_value = true;
      state.there = true;
      return {};
    }
    case EffectKind::delete_range:
      return {};  // apply() sees to ranges
  }
  return {};
}

Result<> Overlay::mget(std::span<Read> reads, bool info_only, std::int64_t time_ms,
                       MgetBelow below) {
  refresh();
  STRATA_TRY(below(reads, info_only));
  for (Read& read : reads) {
    if (!touches(read.key)) continue;
    State state;
    state.there = read.info.has_value();
    if (state.there) state.info = *read.info;
    STRATA_TRY(apply(read.key, read.value.view(), info_only, time_ms, state));
    if (!state.there || !alive(state.info, time_ms)) {
      read.info.reset();
      read.value.clear();
      continue;
    }
    read.info = state.info;
    if (state.own_value) read.value.assign(info_only ? BytesView{} : BytesView(state.value));
  }
  return {};
}

bool Overlay::emit(BytesView key, const State& state, BytesView below, const ScanOptions& options,
                   ScanPage& page) const {
  const BytesView value = state.own_value ? BytesView(state.value) : below;
  page.add(key, options.keys_only ? BytesView{} : value, state.info);
  return page.size() >= options.page_records || page.bytes() >= options.page_bytes;
}

/// Merges what the view gave for `covered` with the batch's own keys there; true: `page` is full.
Result<bool> Overlay::merge(const Range& covered, const ScanPage& found, const ScanOptions& options,
                            std::int64_t time_ms, ScanPage& page) const {
  std::map<BytesView, std::optional<std::size_t>> keys;
  for (std::size_t i = 0; i < found.size(); ++i) keys[found[i].key] = i;
  for (auto own = by_key_.lower_bound({covered.space, covered.begin});
       own != by_key_.end() && own->first.space == covered.space &&
       (covered.end.empty() || own->first.key < covered.end);
       ++own) {
    keys.try_emplace(own->first.key);
  }
  const auto add =
      [&](const std::pair<const BytesView, std::optional<std::size_t>>& entry) -> Result<bool> {
    State state;
    BytesView below;
    if (entry.second) {
      state.there = true;
      state.info = found[*entry.second].info;
      below = found[*entry.second].value;
    }
    STRATA_TRY(apply({covered.space, entry.first}, below, options.keys_only, time_ms, state));
    if (!state.there || !alive(state.info, time_ms)) return false;
    return emit(entry.first, state, below, options, page);
  };
  const auto all = [&](auto begin, auto end) -> Result<bool> {
    for (; begin != end; ++begin) {
      STRATA_LET(const bool full, add(*begin));
      if (full) return true;
    }
    return false;
  };
  return options.reverse ? all(keys.rbegin(), keys.rend()) : all(keys.begin(), keys.end());
}

Result<> Overlay::scan(const Range& range, const ScanOptions& options, std::int64_t time_ms,
                       ScanPage& page, ScanBelow below) {
  refresh();
  page.clear();
  if (!range.end.empty() && range.end <= range.begin) return {};
  Range rest = range;
  ScanPage found;
  // Whole pages of the view may be hidden by the batch: goes on until something is to be seen.
  while (true) {
    found.clear();
    STRATA_TRY(below(rest, options, found));
    const bool more = found.more() && !found.empty();
    Range covered = rest;
    if (more) {
      const Bytes last(found[found.size() - 1].key);
      if (options.reverse) {
        covered.begin = last;
        rest.end = last;
      } else {
        rest.begin = last + '\0';
        covered.end = rest.begin;
      }
    }
    STRATA_LET(const bool full, merge(covered, found, options, time_ms, page));
    // Nothing lies below the empty key, and an empty end would mean none at all.
    const bool at_end = !more || (options.reverse && rest.end.empty());
    if (full || at_end) {
      page.set_more(full || !at_end);
      return {};
    }
  }
}

}  // namespace strata::contract
