// What every engine asks of a batch before it looks at its own data: limits and durability.
//
// Always: an error names the thing, its size and the limit; nothing of the value is in it.
#pragma once

#include "strata/batch.h"
#include "strata/engine.h"
#include "strata/result.h"

namespace strata::contract {

/// Refuses (invalid_argument) keys, values, extensions and batches beyond `limits`. Patches are
/// checked by apply_patch, where the value is known.
Result<> check_limits(const WriteBatch& batch, const Limits& limits);

/// Refuses (not_supported) a durability above `limits.durability_max`.
Result<> check_durability(Durability asked, const Limits& limits);

}  // namespace strata::contract
