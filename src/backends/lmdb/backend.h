// The backend `lmdb`: ordered, durable, read through a memory map; a copy-on-write B+-tree.
#pragma once

#include "strata/backend.h"

namespace strata::backends::lmdb {

void add_to(Registry& registry);

/// Opens, or makes, the store in environment.folder, which must not be empty. LMDB reads and
/// writes its file by itself: environment.files serves only what stands around its folder.
/// One process at a time may open a folder once for writing; others may read.
Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment);

}  // namespace strata::backends::lmdb
