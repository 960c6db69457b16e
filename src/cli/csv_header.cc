#include "cli/csv_header.h"

namespace strata::cli {

namespace {
Bytes key_of(Keyspace space) {
  return "csv-header/" + std::to_string(static_cast<std::uint32_t>(space));
}
}  // namespace

Result<std::optional<Bytes>> read_csv_header(Engine& engine, Keyspace space) {
  Value value;
  STRATA_LET(const auto info, engine.get({kSystemKeyspace, key_of(space)}, value));
  if (!info) return std::optional<Bytes>();
  return std::optional(value.to_bytes());
}

Result<> write_csv_header(Engine& engine, Keyspace space, BytesView header) {
  RecordAttributes attributes;
  attributes.type = ValueType::system;
  STRATA_TRY(engine.put({kSystemKeyspace, key_of(space)}, header, attributes));
  return {};
}

}  // namespace strata::cli
