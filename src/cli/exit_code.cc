#include "cli/exit_code.h"

namespace strata::cli {

ExitCode exit_code_of(const Error& error) {
  switch (error.code()) {
    case Code::corruption:
      return ExitCode::corruption;
    case Code::busy:
      return ExitCode::locked;
    case Code::authentication:
      return ExitCode::authentication;
    default:
      return ExitCode::failure;
  }
}

}  // namespace strata::cli
