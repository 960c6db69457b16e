// apply_patch: what WriteBatch::patch does to bytes, for every engine without a patch of its own.
//
// Always: the length of the outcome is checked before a byte is moved, so a patch from outside
//         with any offset is an error or an answer, never an overflow.
#pragma once

#include <cstdint>

#include "strata/batch.h"
#include "strata/result.h"

namespace strata::contract {

/// One patch: at `offset` (WriteBatch::kAtEnd: at the end) `erase` bytes go and `bytes` come.
struct Patch {
  std::uint64_t offset = 0;
  std::uint64_t erase = 0;
  BytesView bytes;

  /// Of an effect of the kind `patch`.
  static Patch of(const Effect& effect) { return {effect.offset, effect.erase, effect.value}; }
};

/// The length of a value of `before` bytes after the patch; invalid_argument if it is more than
/// `value_bytes_max`.
Result<std::uint64_t> patched_bytes(std::uint64_t before, const Patch& patch,
                                    std::uint64_t value_bytes_max);

/// `before` with the patch applied (an absent record: empty). As patched_bytes where it fails.
Result<Bytes> apply_patch(BytesView before, const Patch& patch, std::uint64_t value_bytes_max);

}  // namespace strata::contract
