// gather_config(): the configuration of a program from all its sources, in their order.
#pragma once

#include <span>
#include <string>

#include "stack/config.h"

namespace strata::stack {

/// What a flag said: `--port 7000` is {"server", "port", "7000", "--port"}.
struct FlagValue {
  std::string section;
  std::string name;
  std::string written;
  std::string flag;
};

/// Built-in < file < environment (as environ has it; null: none) < flags. Without `config_path`
/// the file is the strata.toml of the store's folder, if there is one.
Result<Config> gather_config(io::FileSystem& files, const std::string& config_path,
                             const char* const* environment, std::span<const FlagValue> flags,
                             const Registry& registry);

}  // namespace strata::stack
