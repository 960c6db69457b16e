// The backend `memory`: small, ordered, plainly correct. It has every capability, and is the
// reference that other engines are compared with; nothing of it survives a crash.
#pragma once

#include "strata/backend.h"

namespace strata::backends::memory {

void add_to(Registry& registry);

/// Opens one. With a folder in `environment` the content is the checkpoint that close() left
/// there, and close() leaves the next. `environment.durability` asks for nothing here: writes
/// with store_default get `none`, the strongest that memory keeps; see Limits::durability_max.
Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment);

}  // namespace strata::backends::memory
