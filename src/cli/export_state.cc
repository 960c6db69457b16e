#include "cli/export_state.h"

#include "base/coding.h"
#include "base/crc32c.h"

namespace strata::cli {

namespace {
constexpr BytesView kExportMagic = "SEXP";
constexpr std::uint16_t kExportFormat = 1;
}  // namespace

Bytes ExportState::encode() const {
  Bytes encoded(kExportMagic);
  base::put_u16_le(encoded, kExportFormat);
  base::put_u16_le(encoded, 0);
  base::put_sized(encoded, target);
  for (const std::uint64_t number : {bytes, records, skipped}) base::put_u64_le(encoded, number);
  base::put_sized(encoded, cursor);
  base::put_u32_le(encoded, base::crc32c(encoded));
  return encoded;
}

std::optional<ExportState> decode_export_state(BytesView bytes) {
  if (bytes.size() < kExportMagic.size() + 8 || !bytes.starts_with(kExportMagic))
    return std::nullopt;
  const std::uint32_t crc = base::load_u32_le(bytes.data() + bytes.size() - 4);
  bytes.remove_suffix(4);
  if (base::crc32c(bytes) != crc) return std::nullopt;
  base::Reader reader(bytes.substr(kExportMagic.size()));
  if (reader.u16_le() != kExportFormat || reader.u16_le() != 0) return std::nullopt;
  ExportState state;
  state.target = reader.sized();
  for (std::uint64_t* number : {&state.bytes, &state.records, &state.skipped}) {
    *number = reader.u64_le();
  }
  state.cursor = reader.sized();
  if (!reader.finished()) return std::nullopt;
  return state;
}

}  // namespace strata::cli
