#include "server/commands/help.h"

#include <string>

#include "server/words.h"

namespace strata::server {

Step help(Call& call, std::initializer_list<std::string_view> lines) {
  call.reply.array(lines.size() + 3);
  call.reply.simple(upper(call.argument(0)) +
                    " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const std::string_view line : lines) call.reply.simple(line);
  call.reply.simple("HELP");
  call.reply.simple("    Print this help.");
  return Step::done;
}

}  // namespace strata::server
