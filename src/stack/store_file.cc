#include "stack/store_file.h"

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/quote.h"
#include "io/files.h"

namespace strata::stack {

namespace {

constexpr BytesView kMagic = "STRATAST";
constexpr std::size_t kHeadBytes = 12;  // up to the state; known to every later format
constexpr std::size_t kBytesAt = 12;
constexpr std::size_t kBytesMax = 4096;
constexpr std::size_t kNameBytesMax = 200;

Error damaged(const std::string& path, const char* what) {
  return {Code::corruption, base::quote(path, 512) + " is damaged: " + what};
}

Error too_new(const std::string& path, const std::string& what) {
  return {Code::not_supported,
          base::quote(path, 512) + " was written by a later version of Strata: " + what};
}

/// What stands between the length and the checksum.
Result<StoreFile> decode_fields(base::Reader& reader, StoreState state, const std::string& path) {
  StoreFile store;
  store.state = state;
  store.compat = reader.u64_le();
  const std::uint64_t incompat = reader.u64_le();
  store.created_ms = static_cast<std::int64_t>(reader.u64_le());
  const BytesView id = reader.bytes(store.id.size());
  const BytesView backend = reader.sized();
  const BytesView made_by = reader.sized();
  if (reader.ok() && incompat != 0) {
    return too_new(path, "features " + std::to_string(incompat) + " are not known here");
  }
  if (!reader.finished() || backend.empty() || backend.size() > kNameBytesMax ||
      made_by.size() > kNameBytesMax) {
    return damaged(path, "its fields do not fit its length");
  }
  id.copy(store.id.data(), store.id.size());
  store.backend = backend;
  store.made_by = made_by;
  return store;
}

}  // namespace

Bytes encode_store_file(const StoreFile& store) {
  Bytes bytes(kMagic);
  base::put_u16_le(bytes, kStoreFormat);
  base::put_u16_le(bytes, static_cast<std::uint16_t>(store.state));
  base::put_u32_le(bytes, 0);  // the length, below
  base::put_u64_le(bytes, store.compat);
  base::put_u64_le(bytes, 0);
  base::put_u64_le(bytes, static_cast<std::uint64_t>(store.created_ms));
  bytes.append(store.id.data(), store.id.size());
  base::put_sized(bytes, store.backend);
  base::put_sized(bytes, store.made_by);
  base::store_u32_le(bytes.data() + kBytesAt, static_cast<std::uint32_t>(bytes.size() + 4));
  base::put_u32_le(bytes, base::crc32c(bytes));
  return bytes;
}

Result<StoreFile> decode_store_file(BytesView bytes, const std::string& path) {
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) {
    return damaged(path, "it does not begin as it must");
  }
  const std::uint16_t format = base::load_u16_le(bytes.data() + kMagic.size());
  if (format > kStoreFormat) {
    return too_new(path, "it has format " + std::to_string(format) + ", this version reads " +
                             std::to_string(kStoreFormat));
  }
  if (bytes.size() < kBytesAt + 4 + 4) return damaged(path, "it is cut short");
  if (base::crc32c(bytes.substr(0, bytes.size() - 4)) !=
      base::load_u32_le(bytes.data() + bytes.size() - 4)) {
    return damaged(path, "its checksum differs");
  }
  const std::uint16_t state = base::load_u16_le(bytes.data() + kMagic.size() + 2);
  const bool known = state == static_cast<std::uint16_t>(StoreState::being_made) ||
                     state == static_cast<std::uint16_t>(StoreState::ready);
  if (format != kStoreFormat || !known ||
      base::load_u32_le(bytes.data() + kBytesAt) != bytes.size()) {
    return damaged(path, "its format, state or length is wrong");
  }
  base::Reader reader(bytes.substr(kBytesAt + 4, bytes.size() - kBytesAt - 8));
  return decode_fields(reader, static_cast<StoreState>(state), path);
}

Result<std::optional<StoreFile>> read_store_file(io::FileSystem& files, const std::string& folder) {
  const std::string path = io::join_path(folder, kStoreFileName);
  STRATA_LET(const std::unique_ptr<io::File> file, files.open_if_exists(path));
  if (file == nullptr) return std::optional<StoreFile>();
  // One byte more than it may have, so that a longer one is seen to be; its head may still say
  // that a later version wrote it.
  Bytes bytes(kBytesMax + 1, '\0');
  STRATA_LET(const std::size_t n, file->pread(0, bytes));
  bytes.resize(n);
  STRATA_LET(StoreFile store, decode_store_file(bytes, path));
  return std::optional<StoreFile>(std::move(store));
}

Result<> write_store_file(io::FileSystem& files, const std::string& folder,
                          const StoreFile& store) {
  return io::write_file_atomically(files, io::join_path(folder, kStoreFileName),
                                   encode_store_file(store));
}

}  // namespace strata::stack
