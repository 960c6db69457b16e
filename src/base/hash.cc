// The one place that sees xxhash.
#include "base/hash.h"

#define XXH_INLINE_ALL  // saves a call through the procedure table on short keys
#include <xxhash.h>

namespace strata::base {

std::uint64_t hash64(BytesView bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace strata::base
