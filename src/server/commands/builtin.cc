// The command table of this server: all groups, in the order in which COMMAND lists them.
#include "server/command_table.h"
#include "server/commands/commands.h"

namespace strata::server {

Result<> add_builtin_commands(CommandTable& table) {
  for (const std::span<const CommandSpec> group :
       {string_commands(), bit_commands(), key_commands(), connection_commands(),
        server_commands()}) {
    STRATA_TRY(table.add(group));
  }
  return {};
}

}  // namespace strata::server
