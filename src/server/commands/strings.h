// Handlers of the string commands.
#pragma once

#include "server/command.h"

namespace strata::server {

Step get_command(Call& call);
Step set_command(Call& call);

}  // namespace strata::server
