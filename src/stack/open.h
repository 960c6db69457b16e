// How a folder becomes an open store. strata::open does this with the machine's files and clock.
//
// Always: an open that failed has changed nothing: what it made for a new store is gone again.
// Format: docs/formats/store.md
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "io/file_system.h"
#include "stack/config.h"
#include "stack/store_file.h"
#include "strata/backend.h"
#include "strata/store.h"

namespace strata::stack {

/// What an open stands on; all of it outlives the store.
struct Ground {
  io::FileSystem& files;
  base::Clock& clock;
  std::uint64_t seed;  ///< of a new store's id
};

/// Opens the store of a folder as `config` says; `config` may be null: all defaults, and whatever
/// backend the store was made with.
Result<std::unique_ptr<Store>> open_folder(const Ground& ground, const std::string& folder,
                                           const Config& config, const OpenOptions& options,
                                           const Registry& registry);

/// What is known of a folder without opening it; for messages and exit codes.
enum class FolderState : std::uint8_t { absent, ready, too_new, damaged };
FolderState inspect(io::FileSystem& files, const std::string& folder);

/// The configuration of a store's folder: of its strata.toml, if it has one, else all defaults.
Result<Config> folder_config(io::FileSystem& files, const std::string& folder,
                             const Registry& registry);

/// Which backend an open store has, and what its STORE says (nothing: it has no folder).
const std::string& backend_of(const Store& store);

}  // namespace strata::stack
