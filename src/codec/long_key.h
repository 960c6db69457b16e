// Long keys in a store that takes only short ones: a prefix, then a hash, the whole key in the
// record, and key order at scans.
//
// Format:  docs/formats/long-key.md
// Always:  the same physical key has the same stored key, and two keys with one stored key are
//          told apart (and refused), never mixed up.
// Threads: LongKeys has no state; a GroupOrder is for one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <set>

#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::codec {

class LongKeys {
 public:
  static constexpr std::size_t kHashBytes = 16;

  /// `stored_bytes_max` is what the store takes: at least kHashBytes and a keyspace.
  explicit constexpr LongKeys(std::size_t stored_bytes_max) noexcept
      : prefix_bytes_(stored_bytes_max - kHashBytes) {}

  std::size_t prefix_bytes() const noexcept { return prefix_bytes_; }
  /// Whether a physical key, or a stored one, is a long one.
  bool is_long(BytesView key) const noexcept { return key.size() > prefix_bytes_; }

  /// Appends the stored form of a physical key.
  void put_stored(Bytes& to, BytesView physical) const;
  Bytes stored(BytesView physical) const {
    Bytes bytes;
    put_stored(bytes, physical);
    return bytes;
  }
  /// Appends what stands in front of the record: nothing for a short key.
  void put_rest(Bytes& to, BytesView physical) const;
  /// Takes that off the front of what is stored under `stored`, and gives the rest of the key
  /// behind its prefix (empty for a short one). Borrows from `bytes`.
  Result<BytesView> take_rest(BytesView stored, BytesView& bytes) const;
  /// The physical key of a stored one and its rest.
  Bytes physical(BytesView stored, BytesView rest) const;
  /// What all of its group have in common; nothing where `stored` is too short to be in one.
  std::optional<BytesView> group(BytesView stored) const noexcept {
    if (stored.size() < prefix_bytes_) return std::nullopt;
    return stored.substr(0, prefix_bytes_);
  }

 private:
  std::size_t prefix_bytes_;
};

/// The smallest physical keys (or the greatest) of those that are offered, as many as a page takes.
class GroupOrder {
 public:
  GroupOrder(std::size_t keys_max, bool reverse) : keys_max_(keys_max), reverse_(reverse) {}

  void offer(Bytes physical);
  /// Whether a key had to be left out.
  bool cut() const noexcept { return cut_; }
  /// From the first in scan order on.
  template <class Visit>
  void visit(Visit&& function) const {
    if (reverse_) {
      for (auto at = keys_.rbegin(); at != keys_.rend() && function(*at);) ++at;
    } else {
      for (auto at = keys_.begin(); at != keys_.end() && function(*at);) ++at;
    }
  }

 private:
  const std::size_t keys_max_;
  const bool reverse_;
  std::set<Bytes> keys_;
  bool cut_ = false;
};

}  // namespace strata::codec
