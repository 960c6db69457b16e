// LookupKey: a key as the log and the indexes know it: physical, hashed, and as the words that a
// record holds of it.
//
// Always:  image() is 8-aligned and zero behind its end up to a whole word, so that it is compared
//          with a record word by word.
// Owns:    its bytes; keys up to kInlineBytes need no allocation. Reuse it: set() again.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>

#include "backends/hybridlog/record_layout.h"
#include "base/coding.h"
#include "base/inline_hash.h"
#include "codec/physical_key.h"
#include "strata/record.h"

namespace strata::backends::hybridlog {

class LookupKey {
 public:
  LookupKey() = default;
  [[gnu::always_inline]] LookupKey(const KeyRef& key, std::uint64_t seed) { set(key, seed); }
  LookupKey(LookupKey&&) = default;
  LookupKey& operator=(LookupKey&&) = default;

  [[gnu::always_inline]] void set(const KeyRef& key, std::uint64_t seed) {
    set_parts(static_cast<std::uint32_t>(key.space), key.key.data(), key.key.size(), seed);
  }
  void set_physical(BytesView physical, std::uint64_t seed) {
    set_parts(base::load_u32_be(physical.data()), physical.data() + codec::kKeyspaceBytes,
              physical.size() - codec::kKeyspaceBytes, seed);
  }

  std::uint64_t hash() const noexcept { return hash_; }
  /// Keyspace and key. Valid until set() or a move.
  BytesView physical() const noexcept { return {start() + long_bytes(), key_bytes_}; }
  KeyRef ref() const noexcept {
    const BytesView all = physical();
    return {Keyspace{base::load_u32_be(all.data())}, all.substr(codec::kKeyspaceBytes)};
  }
  /// What a record holds behind its two head words, before the value.
  const char* image() const noexcept { return start(); }
  std::size_t image_bytes() const noexcept { return long_bytes() + key_bytes_; }
  std::size_t key_bytes() const noexcept { return key_bytes_; }
  /// As RecordHead::make wants it in the head.
  std::size_t short_field() const noexcept { return short_field_; }

  /// Whether the record at `at`, whose head is given, has this key. The record may be one that a
  /// writer changes: only words of its key are looked at, which never change.
  bool is_key_of(const char* at, const RecordHead& head) const noexcept {
    if (head.short_key_bytes() != short_field_) return false;
    const char* const own = start();
    const char* const other = at + kRecordHeadBytes;
    std::size_t i = 0;
    std::uint64_t word;
    for (; i < whole_bytes_; i += 8) {
      std::memcpy(&word, own + i, 8);
      if (load_word(other + i) != word) return false;
    }
    if (rest_mask_ == 0) return true;
    std::memcpy(&word, own + i, 8);
    return (load_word(other + i) & rest_mask_) == word;
  }

 private:
  static constexpr std::size_t kInlineBytes = 104;
  /// So that the same key hashes differently in every keyspace.
  static constexpr std::uint64_t kOfSpace = 0x9e3779b97f4a7c15;

  std::size_t long_bytes() const noexcept { return key_bytes_ < kLongKey ? 0 : 4; }
  const char* start() const noexcept { return heap_ != nullptr ? heap_.get() : inline_; }

  /// Pointer and length apart: as one argument they would be loaded together, and the caller has
  /// just stored them one by one; see set_inline().
  [[gnu::always_inline]] void set_parts(std::uint32_t space, const char* key, std::size_t bytes,
                                        std::uint64_t seed) {
    hash_ = base::inline_hash64(key, bytes, seed + space * kOfSpace);
    key_bytes_ = codec::kKeyspaceBytes + bytes;
    static_assert(kInlineBytes < kLongKey);
    if (key_bytes_ > kInlineBytes) [[unlikely]] {
      set_long(space, {key, bytes});
      return;
    }
    if (heap_ != nullptr) [[unlikely]]
      heap_.reset();
    short_field_ = key_bytes_;
    set_image_bytes(key_bytes_);
    set_inline(space, key, bytes);
  }
  /// By whole words, since they are loaded so: a load of what was stored in other pieces waits
  /// until those are in the cache, and holds up what is behind it.
  [[gnu::always_inline]] void set_inline(std::uint32_t space, const char* key,
                                         std::size_t bytes) noexcept {
    static_assert(std::endian::native == std::endian::little);
    const std::uint64_t begin = __builtin_bswap32(space);
    if (bytes >= 8) [[likely]] {
      store_own(0, begin | std::uint64_t{load<std::uint32_t>(key)} << 32);
      std::size_t at = 8;
      for (; at + 8 <= key_bytes_; at += 8) store_own(at, load<std::uint64_t>(key + at - 4));
      const std::size_t rest = key_bytes_ - at;
      if (rest != 0) store_own(at, load<std::uint64_t>(key + bytes - 8) >> (64 - 8 * rest));
      return;
    }
    if (bytes >= 4) {
      store_own(0, begin | std::uint64_t{load<std::uint32_t>(key)} << 32);
      if (bytes != 4) store_own(8, load<std::uint32_t>(key + bytes - 4) >> (64 - 8 * bytes));
      return;
    }
    std::uint64_t few = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      few |= std::uint64_t{static_cast<unsigned char>(key[i])} << 8 * i;
    }
    store_own(0, begin | few << 32);
  }
  void store_own(std::size_t at, std::uint64_t word) noexcept {
    std::memcpy(inline_ + at, &word, 8);
  }
  template <class Word>
  static Word load(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
  [[gnu::noinline]] void set_long(std::uint32_t space, BytesView key) {
    short_field_ = std::min(key_bytes_, kLongKey);
    set_image_bytes(image_bytes());
    heap_ = std::make_unique_for_overwrite<char[]>(padded(image_bytes()));
    char* to = heap_.get();
    std::memset(to + padded(image_bytes()) - 8, 0, 8);
    if (key_bytes_ >= kLongKey) {
      base::store_u32_le(to, static_cast<std::uint32_t>(key_bytes_));
      to += 4;
    }
    base::store_u32_be(to, space);
    std::memcpy(to + codec::kKeyspaceBytes, key.data(), key.size());
  }
  void set_image_bytes(std::size_t bytes) noexcept {
    whole_bytes_ = bytes & ~std::size_t{7};
    rest_mask_ = (std::uint64_t{1} << 8 * (bytes & 7)) - 1;
  }
  // Not set before the first set().
  std::uint64_t hash_;
  std::size_t key_bytes_;
  std::size_t short_field_;
  std::size_t whole_bytes_;  // of the image, in whole words
  std::uint64_t rest_mask_;  // the bytes of the word behind them that are the image's
  std::unique_ptr<char[]> heap_;
  alignas(8) char inline_[kInlineBytes];
};

}  // namespace strata::backends::hybridlog
