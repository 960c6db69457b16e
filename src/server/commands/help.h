// The HELP subcommands: lines of text, an array of simple strings.
#pragma once

#include <initializer_list>
#include <string_view>

#include "server/command.h"

namespace strata::server {

/// Answers with a first line that names the container, the lines, and HELP itself.
Step help(Call& call, std::initializer_list<std::string_view> lines);

}  // namespace strata::server
