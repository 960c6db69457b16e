#include "cli/interrupt.h"

#include <csignal>

namespace strata::cli {

namespace {

// A signal handler can only reach what is static.
volatile std::sig_atomic_t signal_number = 0;

void handle(int number) {
  signal_number = number;
  std::signal(number, SIG_DFL);
}

}  // namespace

void take_signals() {
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
}

std::optional<ExitCode> interrupted() {
  if (signal_number == SIGINT) return ExitCode::interrupted;
  if (signal_number == SIGTERM) return ExitCode::terminated;
  return std::nullopt;
}

}  // namespace strata::cli
