// doctor: whether a store, and the machine below it, are as they should be; in words, with advice.
#pragma once

#include "cli/context.h"

namespace strata::cli {

/// Status failure where something must be seen to, ok otherwise, warnings included.
Result<ExitCode> run_doctor(Context& context);

}  // namespace strata::cli
