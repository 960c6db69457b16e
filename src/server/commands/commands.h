// The groups of the command table. Each is one or two files in this folder: rows and handlers.
#pragma once

#include <span>

#include "server/command.h"

namespace strata::server {

std::span<const CommandSpec> string_commands();

}  // namespace strata::server
