// verify: whether all of a store can be read and is what was written.
#pragma once

#include "cli/context.h"

namespace strata::cli {

/// Damage is a status (corruption), with a line for each place.
Result<ExitCode> run_verify(Context& context);

}  // namespace strata::cli
