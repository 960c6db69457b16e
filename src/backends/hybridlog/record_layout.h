// LogAddress and the layout of a record in the log.
//
//   0       6    7   8       14   16
//   +-------+----+---+--------+----+- - - - - - - - - -+-----+--------------+- - - - -+
//   | prev  | kb | f | version| vb | long key bytes: 4 | key | value area   | to 8    |
//   +-------+----+---+--------+----+- - - - - - - - - -+-----+--------------+- - - - -+
//   word 0: prev 48 bits, key bytes 8, value bytes' high 2, flags 6      word 1: version 48, value
//   bytes' low 16. key: keyspace (4 bytes, big-endian) and key. value area: attributes (if
//   flagged: docs/formats/record.md's head), then the value or the reference of its extent.
//
// Format:  docs/formats/hybridlog.md
// Always:  a record's padded bytes never change once it is linked; a record of a value area above
//          kInPlaceBytesMax, or below the read-only boundary, never changes at all.
// Threads: words are read and written as atomics (acquire and release), since readers copy records
//          that a writer may be changing and check the bucket's word afterwards.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/check.h"
#include "base/sanitizers.h"
#include "strata/bytes.h"

namespace strata::backends::hybridlog {

/// A place in the log, in bytes from its beginning; 0: nowhere.
struct LogAddress {
  std::uint64_t value = 0;
  explicit operator bool() const noexcept { return value != 0; }
  friend auto operator<=>(const LogAddress&, const LogAddress&) = default;
};
inline constexpr std::uint64_t kAddressBits = 48;
inline constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kAddressBits) - 1;
inline constexpr std::uint64_t kVersionMask = kAddressMask;

enum RecordFlag : std::uint8_t {
  kTombstone = 1,   ///< the key is absent from this version on
  kExtent = 2,      ///< the value area ends with an extent's reference
  kAttributes = 4,  ///< the value area begins with a record head
  kInvalid = 8,     ///< was abandoned before it was linked
  kFiller = 16      ///< no record: `prev` holds the bytes up to the next one; only one word
};

inline constexpr std::size_t kRecordHeadBytes = 16;
inline constexpr std::size_t kLongKey = 255;
inline constexpr std::size_t kInPlaceBytesMax = 256;
inline constexpr std::size_t kValueAreaBytesMax = (1u << 18) - 1;
inline constexpr std::size_t kRecordAlign = 8;

constexpr std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + kRecordAlign - 1) & ~(kRecordAlign - 1);
}

/// The two head words taken apart.
struct RecordHead {
  std::uint64_t word0 = 0;
  std::uint64_t word1 = 0;

  static RecordHead make(LogAddress prev, std::uint64_t version, std::size_t key_bytes,
                         std::size_t value_bytes, std::uint8_t flags) noexcept {
    STRATA_DCHECK(value_bytes <= kValueAreaBytesMax);
    STRATA_DCHECK(version <= kVersionMask);
    const std::uint64_t short_key = key_bytes < kLongKey ? key_bytes : kLongKey;
    return {prev.value | short_key << 48 | std::uint64_t{value_bytes >> 16} << 56 |
                std::uint64_t{flags} << 58,
            version | (value_bytes & 0xffff) << 48};
  }
  LogAddress prev() const noexcept { return {word0 & kAddressMask}; }
  std::uint64_t version() const noexcept { return word1 & kVersionMask; }
  std::uint8_t flags() const noexcept { return static_cast<std::uint8_t>(word0 >> 58); }
  bool is(RecordFlag flag) const noexcept { return (flags() & flag) != 0; }
  bool long_key() const noexcept { return (word0 >> 48 & 0xff) == kLongKey; }
  /// Of a short key.
  std::size_t short_key_bytes() const noexcept { return word0 >> 48 & 0xff; }
  std::size_t value_bytes() const noexcept {
    return static_cast<std::size_t>(word1 >> 48 | (word0 >> 56 & 3) << 16);
  }
};

constexpr std::size_t record_bytes(std::size_t key_bytes, std::size_t value_bytes) noexcept {
  return padded(kRecordHeadBytes + (key_bytes < kLongKey ? 0 : 4) + key_bytes + value_bytes);
}

inline std::uint64_t load_word(const char* at) noexcept {
  return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(const_cast<char*>(at)))
      .load(std::memory_order_acquire);
}
inline void store_word(char* at, std::uint64_t word) noexcept {
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at))
      .store(word, std::memory_order_release);
}
inline RecordHead load_head(const char* record) noexcept {
  return {load_word(record), load_word(record + 8)};
}
#if defined(__SSE2__) && !STRATA_THREAD_SANITIZER
struct Unaligned16 {
  char bytes[16];
};
#endif
/// `bytes` is rounded up to whole words at both ends; `from` is 8-aligned.
inline void load_words(char* to, const char* from, std::size_t bytes) noexcept {
  const auto copy = [&](std::size_t at) {
    const std::uint64_t word = load_word(from + at);
    std::memcpy(to + at, &word, 8);
  };
  std::size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    copy(i);
    copy(i + 8);
    copy(i + 16);
    copy(i + 24);
  }
  for (; i < bytes; i += 8) copy(i);
}
/// From any address on, by whole words: what shares the first and the last word with it is loaded,
/// too. Up to 7 bytes behind `to + bytes` are written.
[[gnu::always_inline]] inline void load_bytes(char* to, const char* from,
                                              std::size_t bytes) noexcept {
  static_assert(std::endian::native == std::endian::little);
#if defined(__SSE2__) && !STRATA_THREAD_SANITIZER
  // Sixteen at a time: each load is, on a processor of this kind, like two of load_word(), and may
  // be torn where they may differ. The compiler must not know that it is a load of atomics.
  if (bytes >= 16) [[likely]] {
    const auto copy = [&](std::size_t at) {
      __m128i words;
      asm volatile("movdqu %1, %0"
                   : "=x"(words)
                   : "m"(*reinterpret_cast<const Unaligned16*>(from + at))
                   : "memory");
      std::memcpy(to + at, &words, 16);
    };
    std::size_t i = 0;
    for (; i + 32 <= bytes; i += 32) {
      copy(i);
      copy(i + 16);
    }
    if (i + 16 <= bytes) copy(i);
    if (bytes % 16 != 0) copy(bytes - 16);
    return;
  }
#endif
  if (bytes == 0) return;
  const std::size_t skip = reinterpret_cast<std::uintptr_t>(from) % 8;
  const std::uint64_t first = load_word(from - skip) >> 8 * skip;
  std::memcpy(to, &first, 8);
  const std::size_t head = 8 - skip;
  if (bytes > head) load_words(to + head, from + head, bytes - head);
}
/// Over bytes that others may read meanwhile, from any address on to any; no byte but those.
[[gnu::always_inline]] inline void store_bytes(char* to, const char* from,
                                               std::size_t bytes) noexcept {
#if defined(__SSE2__) && !STRATA_THREAD_SANITIZER
  if (bytes >= 16) [[likely]] {  // as load_bytes()
    const auto copy = [&](std::size_t at) {
      __m128i words;
      std::memcpy(&words, from + at, 16);
      asm volatile("movdqu %1, %0"
                   : "=m"(*reinterpret_cast<Unaligned16*>(to + at))
                   : "x"(words)
                   : "memory");
    };
    std::size_t i = 0;
    for (; i + 32 <= bytes; i += 32) {
      copy(i);
      copy(i + 16);
    }
    if (i + 16 <= bytes) copy(i);
    if (bytes % 16 != 0) copy(bytes - 16);
    return;
  }
#endif
  // By whole words; those at both ends are shared with what is not to change.
  while (bytes != 0) {
    const std::size_t skip = reinterpret_cast<std::uintptr_t>(to) % 8;
    const std::size_t part = std::min(bytes, 8 - skip);
    std::uint64_t word = load_word(to - skip);
    std::memcpy(reinterpret_cast<char*>(&word) + skip, from, part);
    store_word(to - skip, word);
    to += part;
    from += part;
    bytes -= part;
  }
}
inline void store_words(char* to, const char* from, std::size_t bytes) noexcept {
  const auto copy = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, from + at, 8);
    store_word(to + at, word);
  };
  std::size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    copy(i);
    copy(i + 8);
    copy(i + 16);
    copy(i + 24);
  }
  for (; i < bytes; i += 8) copy(i);
}

}  // namespace strata::backends::hybridlog
