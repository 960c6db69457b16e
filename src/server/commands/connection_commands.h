// Handlers of the connection commands.
#pragma once

#include "server/command.h"

namespace strata::server {

Step ping_command(Call& call);
Step echo_command(Call& call);
Step hello_command(Call& call);
Step auth_command(Call& call);
Step quit_command(Call& call);
Step select_command(Call& call);
Step reset_command(Call& call);
Step client_getname_command(Call& call);
Step client_help_command(Call& call);
Step client_id_command(Call& call);
Step client_info_command(Call& call);
Step client_kill_command(Call& call);
Step client_list_command(Call& call);
Step client_no_evict_command(Call& call);
Step client_reply_command(Call& call);
Step client_setname_command(Call& call);
Step client_setinfo_command(Call& call);
Step client_no_touch_command(Call& call);

}  // namespace strata::server
