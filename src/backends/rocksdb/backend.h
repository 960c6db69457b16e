// The backend `rocksdb`: ordered, durable, on one machine; a log-structured merge tree.
#pragma once

#include "strata/backend.h"

namespace strata::backends::rocksdb {

void add_to(Registry& registry);

/// Opens, or makes, the store in environment.folder, which must not be empty. RocksDB reads and
/// writes files by itself: environment.files serves only what stands around its folder.
Result<std::unique_ptr<Engine>> open(const OptionValues& options, const Environment& environment);

}  // namespace strata::backends::rocksdb
