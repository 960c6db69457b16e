// The header line that a keyspace's CSV rows belong to (docs/formats/transfer.md).
#pragma once

#include <optional>

#include "strata/engine.h"

namespace strata::cli {

/// With its line end; nothing: no CSV file was imported.
Result<std::optional<Bytes>> read_csv_header(Engine& engine, Keyspace space);
Result<> write_csv_header(Engine& engine, Keyspace space, BytesView header);

}  // namespace strata::cli
