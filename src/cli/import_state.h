// ImportState: how far an import has come, as a record of the store it goes into.
//
// Format: docs/formats/transfer.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "strata/engine.h"

namespace strata::cli {

/// Which source, as far as can be seen from outside.
struct SourceIdentity {
  std::string path;  ///< absolute
  std::uint64_t bytes = 0;
  std::int64_t modified_ms = 0;
  std::uint32_t head_crc = 0;
  friend bool operator==(const SourceIdentity&, const SourceIdentity&) = default;
};

struct ImportState {
  bool finished = false;
  SourceIdentity source;
  std::string target;  ///< keyspace, form and key rule
  std::uint64_t offset = 0;
  std::uint64_t line = 0;
  std::uint64_t records = 0;
  std::uint64_t skipped = 0;
  std::uint64_t keys_before = 0;
  std::string last_path;

  /// The key of the record.
  Bytes key() const;
  Bytes encode() const;
  friend bool operator==(const ImportState&, const ImportState&) = default;
};

Result<ImportState> decode_import_state(BytesView bytes);
/// The state that the store has of the same path and target; nothing if there is none.
Result<std::optional<ImportState>> read_import_state(Engine& engine, const ImportState& wanted);

}  // namespace strata::cli
