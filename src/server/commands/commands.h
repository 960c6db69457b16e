// The groups of the command table. Each is two files in this folder: rows and handlers.
#pragma once

#include <span>

#include "server/command.h"

namespace strata::server {

std::span<const CommandSpec> bit_commands();
std::span<const CommandSpec> connection_commands();
std::span<const CommandSpec> key_commands();
std::span<const CommandSpec> server_commands();
std::span<const CommandSpec> string_commands();

}  // namespace strata::server
