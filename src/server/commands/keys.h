// Handlers of the commands on keys of any type.
#pragma once

#include "server/command.h"

namespace strata::server {

Step del_command(Call& call);
Step unlink_command(Call& call);
Step exists_command(Call& call);
Step type_command(Call& call);
Step touch_command(Call& call);
Step rename_command(Call& call);
Step renamenx_command(Call& call);
Step copy_command(Call& call);
Step move_command(Call& call);
Step keys_command(Call& call);
Step scan_command(Call& call);
Step randomkey_command(Call& call);
Step expire_command(Call& call);
Step pexpire_command(Call& call);
Step expireat_command(Call& call);
Step pexpireat_command(Call& call);
Step ttl_command(Call& call);
Step pttl_command(Call& call);
Step expiretime_command(Call& call);
Step pexpiretime_command(Call& call);
Step persist_command(Call& call);
Step object_encoding_command(Call& call);
Step object_freq_command(Call& call);
Step object_help_command(Call& call);
Step object_idletime_command(Call& call);
Step object_refcount_command(Call& call);
Step wait_command(Call& call);

}  // namespace strata::server
