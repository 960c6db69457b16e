// Handlers of the commands on the server itself.
#pragma once

#include "server/command.h"

namespace strata::server {

Step command_command(Call& call);
Step command_count_command(Call& call);
Step command_docs_command(Call& call);
Step command_getkeys_command(Call& call);
Step command_getkeysandflags_command(Call& call);
Step command_help_command(Call& call);
Step command_info_command(Call& call);
Step command_list_command(Call& call);
Step info_command(Call& call);
Step config_get_command(Call& call);
Step config_help_command(Call& call);
Step config_resetstat_command(Call& call);
Step config_rewrite_command(Call& call);
Step config_set_command(Call& call);
Step dbsize_command(Call& call);
Step flushall_command(Call& call);
Step flushdb_command(Call& call);
Step swapdb_command(Call& call);
Step slowlog_get_command(Call& call);
Step slowlog_help_command(Call& call);
Step slowlog_len_command(Call& call);
Step slowlog_reset_command(Call& call);
Step latency_doctor_command(Call& call);
Step latency_graph_command(Call& call);
Step latency_help_command(Call& call);
Step latency_histogram_command(Call& call);
Step latency_history_command(Call& call);
Step latency_latest_command(Call& call);
Step latency_reset_command(Call& call);
Step monitor_command(Call& call);
Step time_command(Call& call);

}  // namespace strata::server
