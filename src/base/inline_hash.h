// hash64 for short keys, in the caller: for where a call would cost as much as the hash.
//
// Always:  the same as hash64() of the same bytes and seed.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>

#include "base/hash.h"

namespace strata::base {

[[gnu::always_inline]] inline std::uint64_t inline_hash64(const char* bytes, std::size_t size,
                                                          std::uint64_t seed) noexcept {
  if (size > 16) return hash64({bytes, size}, seed);
  // What XXH3_64bits_withSeed() does with so few bytes, which the compiler would call.
  return XXH3_len_0to16_64b(reinterpret_cast<const xxh_u8*>(bytes), size, XXH3_kSecret, seed);
}

}  // namespace strata::base
