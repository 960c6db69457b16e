// How numbers become bytes on disk and on the wire, and come back.
//
//   store_u32_le(to, v)      into memory that has room        load_u32_le(from)
//   put_u32_le(bytes, v)     behind what is in `bytes`        Reader::u32_le()
//
// le is little-endian, the order of all formats; be is big-endian, for keys, since its bytes sort
// as its numbers do. A varint holds 7 bits a byte, the lowest first, the top bit set on all but
// the last byte; each number has exactly one form, and a longer one is refused.
//
// Always: nothing here reads or writes outside the bytes it is given.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "strata/bytes.h"

namespace strata::base {

inline constexpr std::size_t kVarint32BytesMax = 5;
inline constexpr std::size_t kVarint64BytesMax = 10;

namespace internal {

template <class T>
constexpr T swap_bytes(T value) noexcept {
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

template <class T, std::endian kOrder>
void store(char* to, T value) noexcept {
  if constexpr (kOrder != std::endian::native) value = swap_bytes(value);
  std::memcpy(to, &value, sizeof(T));
}

template <class T, std::endian kOrder>
T load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (kOrder != std::endian::native) value = swap_bytes(value);
  return value;
}

template <class T, std::endian kOrder>
void put(Bytes& to, T value) {
  char bytes[sizeof(T)];
  store<T, kOrder>(bytes, value);
  to.append(bytes, sizeof(T));
}

}  // namespace internal

// To memory that has room for them.
inline void store_u16_le(char* to, std::uint16_t v) noexcept {
  internal::store<std::uint16_t, std::endian::little>(to, v);
}
inline void store_u32_le(char* to, std::uint32_t v) noexcept {
  internal::store<std::uint32_t, std::endian::little>(to, v);
}
inline void store_u64_le(char* to, std::uint64_t v) noexcept {
  internal::store<std::uint64_t, std::endian::little>(to, v);
}
inline void store_u32_be(char* to, std::uint32_t v) noexcept {
  internal::store<std::uint32_t, std::endian::big>(to, v);
}
inline void store_u64_be(char* to, std::uint64_t v) noexcept {
  internal::store<std::uint64_t, std::endian::big>(to, v);
}

// From memory that holds them.
inline std::uint16_t load_u16_le(const char* from) noexcept {
  return internal::load<std::uint16_t, std::endian::little>(from);
}
inline std::uint32_t load_u32_le(const char* from) noexcept {
  return internal::load<std::uint32_t, std::endian::little>(from);
}
inline std::uint64_t load_u64_le(const char* from) noexcept {
  return internal::load<std::uint64_t, std::endian::little>(from);
}
inline std::uint32_t load_u32_be(const char* from) noexcept {
  return internal::load<std::uint32_t, std::endian::big>(from);
}
inline std::uint64_t load_u64_be(const char* from) noexcept {
  return internal::load<std::uint64_t, std::endian::big>(from);
}

// Behind what is in `to`.
inline void put_u8(Bytes& to, std::uint8_t v) { to.push_back(static_cast<char>(v)); }
inline void put_u16_le(Bytes& to, std::uint16_t v) {
  internal::put<std::uint16_t, std::endian::little>(to, v);
}
inline void put_u32_le(Bytes& to, std::uint32_t v) {
  internal::put<std::uint32_t, std::endian::little>(to, v);
}
inline void put_u64_le(Bytes& to, std::uint64_t v) {
  internal::put<std::uint64_t, std::endian::little>(to, v);
}
inline void put_u32_be(Bytes& to, std::uint32_t v) {
  internal::put<std::uint32_t, std::endian::big>(to, v);
}
inline void put_u64_be(Bytes& to, std::uint64_t v) {
  internal::put<std::uint64_t, std::endian::big>(to, v);
}

/// How many bytes `v` takes as a varint: 1 to 10.
constexpr std::size_t varint_bytes(std::uint64_t v) noexcept {
  return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7;
}
/// Writes `v` to memory that has room for varint_bytes(v); gives the end of what was written.
char* store_varint(char* to, std::uint64_t v) noexcept;
void put_varint(Bytes& to, std::uint64_t v);
/// A varint of the length, then the bytes.
void put_sized(Bytes& to, BytesView bytes);

/// Takes numbers and byte strings off the front of `bytes`, which must outlive it.
///
/// A read that finds too few bytes, or bytes that encode no number, gives 0 or nothing, and from
/// then on ok() is false and every read does the same: read a whole structure, then ask ok() once,
/// before using any of it.
class Reader {
 public:
  explicit Reader(BytesView bytes) noexcept : rest_(bytes) {}

  bool ok() const noexcept { return ok_; }
  /// ok(), and every byte has been taken.
  bool finished() const noexcept { return ok_ && rest_.empty(); }
  /// What has not been taken yet; empty once a read has failed.
  BytesView rest() const noexcept { return rest_; }
  std::size_t remaining() const noexcept { return rest_.size(); }

  std::uint8_t u8() noexcept { return number<std::uint8_t, std::endian::native>(); }
  std::uint16_t u16_le() noexcept { return number<std::uint16_t, std::endian::little>(); }
  std::uint32_t u32_le() noexcept { return number<std::uint32_t, std::endian::little>(); }
  std::uint64_t u64_le() noexcept { return number<std::uint64_t, std::endian::little>(); }
  std::uint32_t u32_be() noexcept { return number<std::uint32_t, std::endian::big>(); }
  std::uint64_t u64_be() noexcept { return number<std::uint64_t, std::endian::big>(); }
  /// Fails if the number does not fit.
  std::uint32_t varint32() noexcept;
  std::uint64_t varint64() noexcept;
  /// The next `n` bytes. They belong to what was given to the constructor.
  BytesView bytes(std::size_t n) noexcept;
  /// What put_sized wrote.
  BytesView sized() noexcept;

 private:
  template <class T, std::endian kOrder>
  T number() noexcept {
    if (rest_.size() < sizeof(T)) [[unlikely]] {
      fail();
      return 0;
    }
    const T value = internal::load<T, kOrder>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  void fail() noexcept {
    ok_ = false;
    rest_ = {};
  }

  BytesView rest_;
  bool ok_ = true;
};

}  // namespace strata::base
