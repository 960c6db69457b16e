// StoreFile: the file STORE, which says what a folder's store is.
//
// Format: docs/formats/store.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "io/file_system.h"
#include "strata/result.h"

namespace strata::stack {

inline constexpr std::string_view kStoreFileName = "STORE";
inline constexpr std::string_view kLockFileName = "LOCK";
inline constexpr std::string_view kConfigFileName = "strata.toml";
inline constexpr std::string_view kEngineFolderName = "engine";

inline constexpr std::uint16_t kStoreFormat = 1;

enum class StoreState : std::uint16_t { being_made = 1, ready = 2 };

struct StoreFile {
  StoreState state = StoreState::being_made;
  std::uint64_t compat = 0;  ///< bits that a reader may ignore
  std::int64_t created_ms = 0;
  std::array<char, 16> id{};
  std::string backend;
  std::string made_by;

  friend bool operator==(const StoreFile&, const StoreFile&) = default;
};

Bytes encode_store_file(const StoreFile& store);
/// Errors name `path`: not_supported for a later format, corruption for everything else.
Result<StoreFile> decode_store_file(BytesView bytes, const std::string& path);

/// Of a store's folder; nothing where there is no STORE.
Result<std::optional<StoreFile>> read_store_file(io::FileSystem& files, const std::string& folder);
Result<> write_store_file(io::FileSystem& files, const std::string& folder, const StoreFile& store);

}  // namespace strata::stack
