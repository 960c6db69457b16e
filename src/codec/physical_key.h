// PhysicalKey: keyspace and key as one byte string that sorts as (keyspace, key) does.
//
//   0          4
//   +----------+------------------+
//   | keyspace | key              |      keyspace: big-endian
//   +----------+------------------+
//
// For stores with one flat key order. Owns its bytes; short keys need no allocation.
#pragma once

#include <cstring>
#include <optional>

#include "base/coding.h"
#include "strata/bytes.h"
#include "strata/record.h"

namespace strata::codec {

inline constexpr std::size_t kKeyspaceBytes = 4;

/// Built for one call and not moved: its view would dangle.
class PhysicalKey {
 public:
  explicit PhysicalKey(const KeyRef& key) : bytes_(kKeyspaceBytes + key.key.size()) {
    if (bytes_ > sizeof(inline_)) heap_.resize(bytes_);
    char* to = bytes_ > sizeof(inline_) ? heap_.data() : inline_;
    base::store_u32_be(to, static_cast<std::uint32_t>(key.space));
    if (!key.key.empty()) std::memcpy(to + kKeyspaceBytes, key.key.data(), key.key.size());
  }
  PhysicalKey(const PhysicalKey&) = delete;
  PhysicalKey& operator=(const PhysicalKey&) = delete;

  /// Valid while this lives.
  BytesView view() const noexcept {
    return {bytes_ > sizeof(inline_) ? heap_.data() : inline_, bytes_};
  }

 private:
  std::size_t bytes_;
  Bytes heap_;
  char inline_[96];
};

inline void put_physical_key(Bytes& to, const KeyRef& key) {
  base::put_u32_be(to, static_cast<std::uint32_t>(key.space));
  to.append(key.key);
}

/// What put_physical_key wrote, borrowing from it; nothing if it is too short to be one.
inline std::optional<KeyRef> parse_physical_key(BytesView physical) noexcept {
  if (physical.size() < kKeyspaceBytes) return std::nullopt;
  return KeyRef{Keyspace{base::load_u32_be(physical.data())}, physical.substr(kKeyspaceBytes)};
}

/// A physical key above all of the keyspace and not above any of the next.
inline Bytes end_of_keyspace(Keyspace space) {
  Bytes end;
  const auto number = static_cast<std::uint32_t>(space);
  if (number != UINT32_MAX) {
    base::put_u32_be(end, number + 1);
  } else {
    end.assign(kKeyspaceBytes + kKeyBytesMax + 1, '\xff');
  }
  return end;
}

/// The physical bound for the end of a range of keys: empty means the end of the keyspace.
inline Bytes physical_end(Keyspace space, BytesView end) {
  if (end.empty()) return end_of_keyspace(space);
  Bytes bound;
  put_physical_key(bound, {space, end});
  return bound;
}

}  // namespace strata::codec
