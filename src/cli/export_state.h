// ExportState: how far an export has come, as a file beside what it writes.
//
// Format: docs/formats/transfer.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "strata/bytes.h"

namespace strata::cli {

struct ExportState {
  std::string target;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t skipped = 0;
  Bytes cursor;

  Bytes encode() const;
  friend bool operator==(const ExportState&, const ExportState&) = default;
};

/// Nothing where it is damaged or of another version: the export then begins anew.
std::optional<ExportState> decode_export_state(BytesView bytes);

}  // namespace strata::cli
