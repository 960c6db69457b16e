#include "server/serve_plan.h"

#include <unistd.h>

#include <algorithm>

#include "base/quote.h"
#include "io/files.h"
#include "io/machine_memory.h"
#include "io/posix_file_system.h"
#include "server/machine.h"
#include "stack/gather.h"

namespace strata::server {
namespace {

constexpr std::size_t kPasswordFileBytesMax = 4096;
constexpr unsigned kThreadsDefaultMax = 4;

std::string durability_name(Durability durability) {
  if (durability == Durability::none) return "none";
  return durability == Durability::commit ? "commit" : "interval";
}

std::vector<stack::FlagValue> flags_of(const ServeOptions& options) {
  std::vector<stack::FlagValue> flags;
  const auto add = [&](const char* section, const char* name, std::string value) {
    if (value.empty()) return;
    std::string flag = std::string("--") + name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    flags.push_back({section, name, std::move(value), std::move(flag)});
  };
  std::string addresses;
  for (const std::string& address : options.addresses) {
    addresses += (addresses.empty() ? "" : ",") + address;
  }
  add("storage", "data", options.data_folder);
  add("storage", "backend", options.backend);
  add("storage", "memory", options.memory);
  if (options.durability) add("storage", "durability", durability_name(*options.durability));
  add("server", "bind", std::move(addresses));
  if (options.port) add("server", "port", std::to_string(*options.port));
  add("server", "unix_socket", options.unix_socket);
  if (options.threads != 0) add("server", "threads", std::to_string(options.threads));
  return flags;
}

Result<std::string> password_in(const std::string& path) {
  if (path.empty()) return std::string();
  STRATA_LET(const std::optional<Bytes> text,
             io::read_file(io::posix(), path, kPasswordFileBytesMax));
  if (!text) {
    return Error(Code::invalid_argument,
                 "password_file " + base::quote(path, path.size()) + ": there is no such file");
  }
  std::string password = text->substr(0, text->find_first_of("\r\n"));
  if (password.empty()) {
    return Error(Code::invalid_argument,
                 "password_file " + base::quote(path, path.size()) + ": its first line is empty");
  }
  return password;
}

// The parameters under Redis's names that follow from the file's table [server], then those of
// its table [redis].
Result<> fill_settings(const Config::State& config, const ListenOptions& listen,
                       Settings& settings) {
  const OptionValues& server = config.section("server").values;
  std::string addresses;
  for (const std::string& address : listen.addresses) {
    addresses += (addresses.empty() ? "" : " ") + address;
  }
  STRATA_TRY(settings.set("bind", addresses));
  STRATA_TRY(settings.set("port", std::to_string(listen.port)));
  STRATA_TRY(settings.set("unixsocket", listen.unix_socket));
  STRATA_TRY(settings.set("maxclients", std::to_string(server.number("max_clients"))));
  const std::int64_t timeout_s = (server.number("timeout") + 999) / 1000;
  STRATA_TRY(settings.set("timeout", std::to_string(timeout_s)));
  for (const stack::Parameter& parameter : config.parameters) {
    if (const Result<> set = settings.set(parameter.name, parameter.value); !set) {
      return Error(set.error().code(), parameter.place + ": " + set.error().message());
    }
  }
  return {};
}

}  // namespace

Result<ServePlan> plan_serve(const ServeOptions& options, const Registry& registry) {
  STRATA_LET(Config config, stack::gather_config(io::posix(), options.config_path, ::environ,
                                                 flags_of(options), registry));
  ServePlan plan{.config = std::move(config), .settings = std::make_unique<Settings>()};
  const Config::State& state = plan.config.state();
  const OptionValues& storage = state.section("storage").values;
  const OptionValues& server = state.section("server").values;
  plan.data_folder = storage.text("data");
  plan.memory_bytes = static_cast<std::uint64_t>(storage.number("memory"));
  if (plan.memory_bytes == 0) plan.memory_bytes = io::default_memory_bytes();
  plan.threads = static_cast<unsigned>(server.number("threads"));
  if (plan.threads == 0) plan.threads = std::min(usable_cores(), kThreadsDefaultMax);
  plan.listen.addresses = stack::split_list(server.text("bind"));
  plan.listen.port = static_cast<std::uint16_t>(server.number("port"));
  plan.listen.unix_socket = server.text("unix_socket");
  plan.listen.unix_socket_mode = options.unix_socket_mode;
  STRATA_TRY(fill_settings(state, plan.listen, *plan.settings));
  STRATA_LET(std::string password, password_in(server.text("password_file")));
  if (!options.password.empty()) password = options.password;
  if (!password.empty()) plan.settings->set_password(std::move(password));
  return plan;
}

}  // namespace strata::server
