// CommitPlan: what a batch does to each key it names, worked out in memory from what the store
// holds, before one byte is written.
//
// Usage:   plan, look up each slot's stored record and found() it, refused(), apply().
// Always:  slots are sorted by (keyspace, key) and distinct.
// Owns:    the bytes that patches make; everything else it borrows, from the batch and from the
//          records that were looked up.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/record.h"
#include "strata/batch.h"
#include "strata/result.h"

namespace strata::backends::rocksdb {

class CommitPlan {
 public:
  enum class Outcome : std::uint8_t { untouched, put, removed };

  struct Slot {
    KeyRef key;
    std::optional<codec::RecordView> stored;  ///< what lies there, expired or not
    bool visible = false;                     ///< as the batch stands at present
    bool needs_value = false;  ///< of the stored record; else only its info is looked at
    Outcome outcome = Outcome::untouched;
    bool in_range = false;  ///< a delete_range went over it
    RecordAttributes attributes;
    BytesView value;
    Bytes patched;  ///< what `value` shows after a patch

    bool stored_after() const noexcept {
      return outcome == Outcome::put || (outcome == Outcome::untouched && stored.has_value());
    }
  };

  /// What expires at `now_ms` or before has expired.
  CommitPlan(const WriteBatch& batch, std::int64_t now_ms);

  std::span<Slot> slots() noexcept { return slots_; }
  bool has_ranges() const noexcept { return has_ranges_; }

  /// Takes apart the stored record of a slot. It must outlive the plan if slot.needs_value.
  Result<> found(Slot& slot, BytesView record);
  /// The first condition that does not hold.
  std::optional<std::size_t> refused() const;
  /// Goes through the effects in their order; fails where a value would grow too long.
  Result<> apply(std::uint64_t value_bytes_max);
  /// The slot of a key, or null.
  const Slot* find(const KeyRef& key) const;

 private:
  Slot& slot(const KeyRef& key);
  Result<> patch(const Effect& effect, std::uint64_t value_bytes_max);
  void remove_range(const Effect& effect);

  bool live(const RecordAttributes& attributes) const noexcept {
    return attributes.expires_ms == kNeverExpires || attributes.expires_ms > now_ms_;
  }

  const WriteBatch& batch_;
  const std::int64_t now_ms_;
  std::vector<Slot> slots_;
  bool has_ranges_ = false;
};

}  // namespace strata::backends::rocksdb
