// Handlers of the string commands.
#pragma once

#include "server/command.h"

namespace strata::server {

/// The key of a SET: read only where the GET option is there.
bool set_keys(Arguments arguments, std::vector<KeyAt>& keys);

Step get_command(Call& call);
Step set_command(Call& call);
Step getdel_command(Call& call);
Step getex_command(Call& call);
Step getrange_command(Call& call);
Step substr_command(Call& call);
Step setrange_command(Call& call);
Step strlen_command(Call& call);
Step append_command(Call& call);
Step mget_command(Call& call);
Step mset_command(Call& call);
Step msetnx_command(Call& call);
Step setnx_command(Call& call);
Step setex_command(Call& call);
Step psetex_command(Call& call);
Step getset_command(Call& call);
Step incr_command(Call& call);
Step decr_command(Call& call);
Step incrby_command(Call& call);
Step decrby_command(Call& call);
Step incrbyfloat_command(Call& call);
Step lcs_command(Call& call);

}  // namespace strata::server
