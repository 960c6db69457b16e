// hash64: XXH3, for tables in memory, shards and filters. Fast, and not for adversaries or disks.
#pragma once

#include <cstdint>

#include "strata/bytes.h"

namespace strata::base {

/// The same for the same bytes and seed, in this and every other build.
std::uint64_t hash64(BytesView bytes, std::uint64_t seed = 0) noexcept;

/// For unordered containers: finds a BytesView among Bytes without making a copy.
struct BytesHash {
  using is_transparent = void;
  std::size_t operator()(BytesView bytes) const noexcept { return hash64(bytes); }
};

}  // namespace strata::base
