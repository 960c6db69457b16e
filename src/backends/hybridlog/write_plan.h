// What a batch does, key by key. Only Writer's files include this.
#pragma once

#include <optional>
#include <vector>

#include "backends/hybridlog/writer.h"

namespace strata::backends::hybridlog {

/// One key of a batch.
struct Writer::Planned {
  enum class Becomes : std::uint8_t { same, record, tombstone };

  LookupKey key;
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
  NewRecord record;

  // Set by install().
  Found found;
  std::optional<ExtentRef> lost;  ///< of the record that it replaces, if that is in memory
  Log::Room room;
  bool inserted = false;  ///< the ordered index did not know the key
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
  std::vector<HashIndex::Lock> locks;
  std::vector<std::uint32_t> lock_of;  ///< by place in `order`
  bool reads = false;

  Planned& add(KeyRef key, std::uint64_t seed) {
    if (count == keys.size()) keys.emplace_back();
    Planned& planned = keys[count++];
    planned.renew();
    planned.key.set(key, seed);
    return planned;
  }
};

}  // namespace strata::backends::hybridlog
