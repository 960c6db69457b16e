// Signals, as the program (never the library) takes them: the first SIGINT or SIGTERM asks long
// work to stop at its next safe place, the second ends the program at once.
#pragma once

#include <optional>

#include "cli/exit_code.h"

namespace strata::cli {

/// Call once, before long work.
void take_signals();
/// What to end with, once a signal came.
std::optional<ExitCode> interrupted();

}  // namespace strata::cli
