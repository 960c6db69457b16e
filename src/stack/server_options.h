// The rows of the table [server]: what the configuration says of `strata serve`. They stand on this
// floor so that one reader checks the whole file.
#pragma once

#include <span>

#include "strata/backend.h"

namespace strata::stack {

std::span<const OptionSpec> server_options();

}  // namespace strata::stack
