// The command line: subcommands, their flags, and which function each one is. CLI11 stays behind
// it.
#pragma once

namespace strata::cli {

/// Parses, runs, reports. Gives the exit status (exit_code.h).
int run(int argc, const char* const* argv);

}  // namespace strata::cli
