// What a batch does, key by key. Only Writer's files include this.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "backends/hybridlog/writer.h"

namespace strata::backends::hybridlog {

inline constexpr std::size_t kRangeKeys = 64;  // of a range that are looked at together

/// One key of a batch.
struct Writer::Planned {
  enum class Becomes : std::uint8_t { same, record, tombstone };

  KeyView key;
  std::vector<std::uint32_t> effects;  ///< by index, in order; a range removes it, too
  bool reads = false;                  ///< what it becomes stands on what it was
  bool reads_value = false;
  Newest before;  ///< if `reads`

  // What it becomes.
  Becomes becomes = Becomes::same;
  RecordAttributes attributes;
  BytesView value;  ///< borrowed from the batch or `own`
  Bytes own;
  std::optional<ExtentRef> extent;
  Bytes head;       ///< the attributes as bytes
  Bytes reference;  ///< of the extent
  Bytes physical;   ///< the key as the ordered index wants it, of what becomes a record
  NewRecord record;

  // Set by install().
  Found found;
  std::optional<ExtentRef> lost;  ///< of the record that it replaces, if that is in memory
  Log::Room room;
  bool inserted =
      false;  ///< the ordered index did not know the key; it goes again, if install fails
  bool overwrites = false;
  LogAddress old_head;
  LogAddress address;  ///< where it lies now

  void renew() {
    effects.clear();
    reads = reads_value = false;
    becomes = Becomes::same;
    extent.reset();
    inserted = overwrites = false;
  }
};

struct Writer::Plan {
  std::vector<Planned> keys;  ///< the first `count` are in use
  std::size_t count = 0;
  std::vector<std::uint32_t> order;       ///< by hash
  std::vector<std::uint32_t> conditions;  ///< the key of each
  /// Physical keys from `begin` on and before `end`, which the batch deletes.
  struct KeyRange {
    Bytes begin;
    Bytes end;
    std::vector<Bytes> keys;  ///< those that it had, which the plan borrows
  };
  std::vector<KeyRange> ranges;
  KeyBlock block;  ///< scratch
  std::vector<HashIndex::Lock> locks;
  /// The plan is used again: whatever ends its use must not leave buckets locked.
  struct Unlock {
    Plan& plan;
    ~Unlock() { plan.locks.clear(); }
  };
  std::vector<std::uint32_t> lock_of;  ///< by place in `order`
  bool reads = false;
  bool needs_time = false;  ///< to judge what has expired

  Planned& add(const KeyRef& key, std::uint64_t seed) {
    if (count == keys.size()) keys.emplace_back();
    Planned& planned = keys[count++];
    planned.renew();
    planned.key = KeyView(key, seed);
    return planned;
  }
  /// Whether a key is in it; `order` must be set.
  bool has(BytesView physical, std::uint64_t seed) const {
    const KeyView key = KeyView::of_physical(physical, seed);
    const auto [from, to] =
        std::ranges::equal_range(std::span(order).first(count), key.hash(), {},
                                 [&](std::uint32_t k) { return keys[k].key.hash(); });
    return std::any_of(from, to, [&](std::uint32_t k) { return keys[k].key.is(key); });
  }
};

}  // namespace strata::backends::hybridlog
