// Sidecar: what stands beside a value, as a file for people and programs.
//
// Format: docs/formats/file.md. Always: decode(encode(s)) == s.
#pragma once

#include <cstdint>
#include <string>

#include "codec/sha256.h"
#include "strata/record.h"
#include "strata/result.h"

namespace strata::backends::file {

struct Sidecar {
  Bytes key;
  std::string value_file;  ///< in the same folder
  std::string content_type;
  codec::Sha256 sha256{};
  std::int64_t created_ms = 0;   ///< wall time
  std::int64_t modified_ms = 0;  ///< wall time
  RecordInfo info;               ///< value_bytes is the size of the value file
  friend bool operator==(const Sidecar&, const Sidecar&) = default;
};

Bytes encode_sidecar(const Sidecar& sidecar);
/// Errors (corruption) say what is wrong with "it": the caller names file and key.
Result<Sidecar> decode_sidecar(BytesView text);

/// A guess from the first bytes, for whoever looks at the file.
std::string guess_content_type(BytesView value, const RecordAttributes& attributes);

}  // namespace strata::backends::file
