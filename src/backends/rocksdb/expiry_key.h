// Keys of the expiry index: time, then physical key, so that what expires first stands first.
//
//   0            8
//   +------------+--------------+
//   | expires_ms | physical key |    expires_ms: big-endian, sign bit flipped
//   +------------+--------------+
#pragma once

#include <cstdint>
#include <optional>

#include "base/coding.h"
#include "codec/physical_key.h"

namespace strata::backends::rocksdb {

inline constexpr std::size_t kExpiryTimeBytes = 8;
inline constexpr std::uint64_t kExpirySignBit = std::uint64_t{1} << 63;

struct ExpiryEntry {
  std::int64_t expires_ms;
  BytesView physical;
};

inline void put_expiry_time(Bytes& to, std::int64_t expires_ms) {
  base::put_u64_be(to, static_cast<std::uint64_t>(expires_ms) ^ kExpirySignBit);
}

inline Bytes expiry_entry(std::int64_t expires_ms, BytesView physical) {
  Bytes entry;
  entry.reserve(kExpiryTimeBytes + physical.size());
  put_expiry_time(entry, expires_ms);
  entry.append(physical);
  return entry;
}

/// Borrows from `entry`; nothing if it is too short to be one.
inline std::optional<ExpiryEntry> parse_expiry_entry(BytesView entry) noexcept {
  if (entry.size() < kExpiryTimeBytes + codec::kKeyspaceBytes) return std::nullopt;
  const std::uint64_t time = base::load_u64_be(entry.data()) ^ kExpirySignBit;
  return ExpiryEntry{static_cast<std::int64_t>(time), entry.substr(kExpiryTimeBytes)};
}

}  // namespace strata::backends::rocksdb
