#include "cli/import_state.h"

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/hex.h"

namespace strata::cli {

namespace {
constexpr BytesView kImportMagic = "SIMP";
constexpr std::uint16_t kImportFormat = 1;
}  // namespace

Bytes ImportState::key() const {
  Bytes name = source.path;
  name.push_back('\0');
  name += target;
  Bytes hash;
  base::put_u64_be(hash, base::hash64(name));
  return "import/" + base::hex_encode(hash);
}

Bytes ImportState::encode() const {
  Bytes bytes(kImportMagic);
  base::put_u16_le(bytes, kImportFormat);
  base::put_u16_le(bytes, finished ? 1 : 0);
  base::put_sized(bytes, source.path);
  base::put_sized(bytes, target);
  base::put_u64_le(bytes, source.bytes);
  base::put_u64_le(bytes, static_cast<std::uint64_t>(source.modified_ms));
  base::put_u32_le(bytes, source.head_crc);
  for (const std::uint64_t number : {offset, line, records, skipped, keys_before}) {
    base::put_u64_le(bytes, number);
  }
  base::put_sized(bytes, last_path);
  base::put_u32_le(bytes, base::crc32c(bytes));
  return bytes;
}

Result<ImportState> decode_import_state(BytesView bytes) {
  const auto damaged = [] {
    return Error(Code::corruption, "the state of an import is damaged; --again begins anew");
  };
  if (bytes.size() < kImportMagic.size() + 6 || !bytes.starts_with(kImportMagic)) return damaged();
  if (base::load_u16_le(bytes.data() + kImportMagic.size()) > kImportFormat) {
    return Error(Code::not_supported, "the state of an import was written by a later version");
  }
  const std::uint32_t crc = base::load_u32_le(bytes.data() + bytes.size() - 4);
  bytes.remove_suffix(4);
  if (base::crc32c(bytes) != crc) return damaged();
  base::Reader reader(bytes.substr(kImportMagic.size() + 2));
  ImportState state;
  const std::uint16_t finished = reader.u16_le();
  state.finished = finished != 0;
  state.source.path = reader.sized();
  state.target = reader.sized();
  state.source.bytes = reader.u64_le();
  state.source.modified_ms = static_cast<std::int64_t>(reader.u64_le());
  state.source.head_crc = reader.u32_le();
  for (std::uint64_t* number :
       {&state.offset, &state.line, &state.records, &state.skipped, &state.keys_before}) {
    *number = reader.u64_le();
  }
  state.last_path = reader.sized();
  if (!reader.finished() || finished > 1) return damaged();
  return state;
}

Result<std::optional<ImportState>> read_import_state(Engine& engine, const ImportState& wanted) {
  Value value;
  STRATA_LET(const auto info, engine.get({kSystemKeyspace, wanted.key()}, value));
  if (!info) return std::optional<ImportState>();
  STRATA_LET(ImportState state, decode_import_state(value.view()));
  // Two sources may share a hash; the record is then the other's.
  if (state.source.path != wanted.source.path || state.target != wanted.target) {
    return std::optional<ImportState>();
  }
  return std::optional(std::move(state));
}

}  // namespace strata::cli
