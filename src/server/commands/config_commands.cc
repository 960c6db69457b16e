// The CONFIG subcommands.
#include "server/commands/help.h"
#include "server/commands/server_commands.h"
#include "server/config_file.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {

Step config_get_command(Call& call) {
  const auto found = call.session.instance.settings->matching(call.arguments.subspan(2));
  call.reply.map(found.size());
  for (const auto& [name, value] : found) {
    call.reply.bulk(BytesView(name));
    call.reply.bulk(BytesView(value));
  }
  return Step::done;
}

Step config_set_command(Call& call) {
  if (call.count() % 2 != 0) {
    return call.error(kSyntaxError);
  }
  std::vector<Settings::Pair> pairs;
  for (std::size_t i = 2; i < call.count(); i += 2) {
    pairs.emplace_back(call.argument(i), call.argument(i + 1));
  }
  if (const Result<> done = call.session.instance.settings->set(pairs); !done) {
    return call.error("ERR " + done.error().message());
  }
  call.reply.ok();
  return Step::done;
}

Step config_resetstat_command(Call& call) {
  Instance& instance = call.session.instance;
  instance.statistics.reset();
  for (const Command* command : instance.commands.rows()) {
    for (auto* counter :
         {&command->calls, &command->microseconds, &command->rejected, &command->failed}) {
      counter->store(0, std::memory_order_relaxed);
    }
    command->times.reset();
  }
  call.reply.ok();
  return Step::done;
}

Step config_rewrite_command(Call& call) {
  Instance& instance = call.session.instance;
  if (instance.config_path.empty()) {
    return call.error("ERR The server is running without a config file");
  }
  const Result<> done = rewrite_config_file(instance.config_path, instance.settings->changed());
  if (!done) {
    return call.error("ERR Rewriting config file: " + done.error().to_string());
  }
  call.reply.ok();
  return Step::done;
}

Step config_help_command(Call& call) {
  return help(call, {"GET <pattern> [<pattern> ...]", "    Tell parameters and their values.",
                     "SET <parameter> <value> [<parameter> <value> ...]",
                     "    Change parameters, all or none.", "RESETSTAT",
                     "    Set the statistics of INFO to zero.", "REWRITE",
                     "    Keep the parameters in the configuration file."});
}

}  // namespace strata::server
