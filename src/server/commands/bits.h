// Handlers of the bit commands.
#pragma once

#include "server/command.h"

namespace strata::server {

/// The key of a BITFIELD: only read where all its operations are GET.
bool bitfield_keys(Arguments arguments, std::vector<KeyAt>& keys);

Step getbit_command(Call& call);
Step setbit_command(Call& call);
Step bitcount_command(Call& call);
Step bitpos_command(Call& call);
Step bitop_command(Call& call);
Step bitfield_command(Call& call);
Step bitfield_ro_command(Call& call);

}  // namespace strata::server
