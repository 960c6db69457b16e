// The checker of histories: is there an order of the calls, true to time, that explains them all?
//
// The search is that of Wing and Gong (Testing and Verifying Concurrent Objects, 1993), with the
// memory of Lowe: a set of calls that led to a state once in vain is not tried again. It asks for
// more than linearizable registers: versions are those of the writes, and rise with each write of a
// key; a refused commit blames the first condition that does not hold.
#pragma once

#include <span>

#include "consistency/history.h"

namespace strata::consistency {

inline constexpr std::size_t kCallsMax = 64;

/// Whether removals stand in the order of versions, too. Where there are snapshots they must: what
/// is in a snapshot, its version says. Elsewhere only a record has a version.
enum class Removals : bool { unordered, ordered };

/// Whether the calls (at most kCallsMax), begun at `start`, can have happened one after another.
bool linearizable(std::span<const Call> calls, const State& start, Removals removals);

}  // namespace strata::consistency
