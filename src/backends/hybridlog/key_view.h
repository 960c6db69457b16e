// KeyView: a key where its caller holds it, hashed: what the index is asked with, and what a record
// is compared with. Making one and comparing writes nothing to memory, since the stores of a get
// are what bounds it (ADR 0009).
//
//   image:  [length 4, little-endian, of a long key only][keyspace 4, big-endian][key]
//           what a record holds of its key behind the two head words
//
// Borrows: the bytes of the key.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "backends/hybridlog/record_layout.h"
#include "base/coding.h"
#include "base/inline_hash.h"
#include "codec/physical_key.h"
#include "strata/record.h"

namespace strata::backends::hybridlog {

class KeyView {
 public:
  KeyView() = default;
  [[gnu::always_inline]] KeyView(const KeyRef& key, std::uint64_t seed) noexcept
      : key_(key.key.data()),
        bytes_(key.key.size()),
        hash_(base::inline_hash64(key_, bytes_, of_keyspace(key.space, seed))),
        space_(static_cast<std::uint32_t>(key.space)) {}

  /// `physical`: keyspace and key.
  static KeyView of_physical(BytesView physical, std::uint64_t seed) noexcept {
    return {{Keyspace{base::load_u32_be(physical.data())}, physical.substr(codec::kKeyspaceBytes)},
            seed};
  }

  std::uint64_t hash() const noexcept { return hash_; }
  KeyRef ref() const noexcept { return {Keyspace{space_}, {key_, bytes_}}; }
  /// Of keyspace and key.
  std::size_t physical_bytes() const noexcept { return codec::kKeyspaceBytes + bytes_; }
  std::size_t image_bytes() const noexcept {
    return physical_bytes() + (physical_bytes() < kLongKey ? 0 : kLengthBytes);
  }

  bool is(const KeyView& other) const noexcept { return ref() == other.ref(); }
  bool is_physical(BytesView physical) const noexcept {
    return physical.size() == physical_bytes() && base::load_u32_be(physical.data()) == space_ &&
           physical.substr(codec::kKeyspaceBytes) == ref().key;
  }
  /// image_bytes() of them; gives the place behind.
  char* write_image(char* to) const noexcept {
    if (physical_bytes() >= kLongKey) {
      base::store_u32_le(to, static_cast<std::uint32_t>(physical_bytes()));
      to += kLengthBytes;
    }
    base::store_u32_be(to, space_);
    to += codec::kKeyspaceBytes;
    if (bytes_ != 0) std::memcpy(to, key_, bytes_);
    return to + bytes_;
  }

  /// Whether the record at `at`, whose head is given, has this key. The record may be one that a
  /// writer changes: only words of its key are looked at, and what they hold of the key never
  /// changes.
  [[gnu::always_inline]] bool is_key_of(const char* at, const RecordHead& head) const noexcept {
    if (head.short_key_bytes() != std::min(physical_bytes(), kLongKey)) return false;
    const char* const image = at + kRecordHeadBytes;
    if (bytes_ < 8 || physical_bytes() >= kLongKey) [[unlikely]]
      return is_image(image, key_, bytes_, space_);
    if (load_word(image) != first_word(load<std::uint32_t>(key_))) return false;
    std::size_t i = 8;
    for (; i + 8 <= physical_bytes(); i += 8) {
      if (load_word(image + i) != load<std::uint64_t>(key_ + i - codec::kKeyspaceBytes)) {
        return false;
      }
    }
    if (i == physical_bytes()) return true;
    const std::size_t other_bits = 8 * (i + 8 - physical_bytes());
    return load_word(image + i) << other_bits >> other_bits ==
           load<std::uint64_t>(key_ + bytes_ - 8) >> other_bits;
  }

 private:
  static_assert(std::endian::native == std::endian::little);
  static constexpr std::size_t kLengthBytes = 4;

  /// So that the same key hashes differently in every keyspace.
  static std::uint64_t of_keyspace(Keyspace space, std::uint64_t seed) noexcept {
    return seed + static_cast<std::uint32_t>(space) * std::uint64_t{0x9e3779b97f4a7c15};
  }
  template <class Word>
  static Word load(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
  std::uint64_t first_word(std::uint64_t first_of_key) const noexcept {
    return __builtin_bswap32(space_) | first_of_key << 32;
  }
  /// Of any length; a call that does not want this object in memory.
  [[gnu::noinline]] static bool is_image(const char* image, const char* key, std::size_t bytes,
                                         std::uint32_t space) noexcept;

  const char* key_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint64_t hash_ = 0;
  std::uint32_t space_ = 0;
};

}  // namespace strata::backends::hybridlog
