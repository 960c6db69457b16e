// Handlers of the bit commands.
#pragma once

#include "server/command.h"

namespace strata::server {

Step getbit_command(Call& call);
Step setbit_command(Call& call);
Step bitcount_command(Call& call);
Step bitpos_command(Call& call);
Step bitop_command(Call& call);
Step bitfield_command(Call& call);
Step bitfield_ro_command(Call& call);

}  // namespace strata::server
