// The hybridlog backend: its row in the registry.
#pragma once

#include <memory>

#include "strata/backend.h"

namespace strata::backends::hybridlog {

/// Makes it known as "hybridlog".
void add_to(Registry& registry);

Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment);

}  // namespace strata::backends::hybridlog
