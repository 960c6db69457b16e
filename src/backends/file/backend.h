// The backend `file`: one file a value under folders by hash, with a sidecar of JSON that says what
// the value is. For stores that people look into, values that other programs read, and large ones.
//
// Guide: docs/formats/file.md
#pragma once

#include "strata/backend.h"

namespace strata::backends::file {

void add_to(Registry& registry);

/// Opens the store in `environment.folder`. Its durability `store_default` means interval.
Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment);

}  // namespace strata::backends::file
