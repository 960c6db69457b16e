// CONFIG REWRITE: the parameters that were changed, kept in the [redis] table of the configuration
// file, which is otherwise left as it is.
#pragma once

#include <map>
#include <string>

#include "strata/result.h"

namespace strata::server {

/// `text` with its [redis] table replaced by `parameters` (appended if there is none).
std::string with_redis_table(const std::string& text,
                             const std::map<std::string, std::string>& parameters);
/// The same on a file, as one rename: after a crash it is the old one or the new one.
Result<> rewrite_config_file(const std::string& path,
                             const std::map<std::string, std::string>& parameters);

}  // namespace strata::server
