// The short way of a batch of plain puts: all of them in the places of the records that are there.
//
//   ask     every bucket, then every record is asked for, so that their misses overlap
//   hold    every bucket, if it is as it was seen; nobody is waited for, so their order is free
//   judge   every record, before any is changed
//   change  all of them, at one version
//
// Threads: any.
// Always:  a batch is seen whole or not at all; where one put does not fit, nothing has changed.
#pragma once

#include <span>

#include "backends/hybridlog/parts.h"
#include "strata/batch.h"

namespace strata::backends::hybridlog {

inline constexpr std::size_t kBatchInPlaceMax = 128;

/// Inside a guard of the caller; at most kBatchInPlaceMax. Each effect must be such as
/// Writer::put_in_place() would do, a key may come twice. Version{}: the long way has to be gone.
Version put_all_in_place(Parts& parts, std::span<const Effect> effects);

}  // namespace strata::backends::hybridlog
