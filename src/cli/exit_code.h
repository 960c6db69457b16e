// What the program's exit status means. docs/guide/exit-codes.md shows the same table.
#pragma once

#include "strata/result.h"

namespace strata::cli {

enum class ExitCode : int {
  ok = 0,
  failure = 1,
  usage = 2,       ///< the command line is wrong
  partial = 3,     ///< done, but for what was skipped as it was told to
  corruption = 4,  ///< damaged data was found
  not_found = 10,  ///< no such key, or no store
  locked = 11,     ///< another process has the store open
  authentication = 12,
  too_new = 13,       ///< the store was written by a later version
  interrupted = 130,  ///< SIGINT
  terminated = 143    ///< SIGTERM
};

/// The edge where the code of an error becomes a status.
ExitCode exit_code_of(const Error& error);

}  // namespace strata::cli
