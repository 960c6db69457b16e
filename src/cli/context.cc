#include "cli/context.h"

#include <unistd.h>

#include "contract/keyspaces.h"
#include "io/posix_file_system.h"
#include "stack/open.h"

namespace strata::cli {

Result<Config> Context::configuration(const Registry& registry) const {
  std::vector<stack::FlagValue> flags;
  if (!common.data.empty()) flags.push_back({"storage", "data", common.data, "--data"});
  if (!common.backend.empty()) {
    flags.push_back({"storage", "backend", common.backend, "--backend"});
  }
  if (!common.memory.empty()) flags.push_back({"storage", "memory", common.memory, "--memory"});
  if (!common.durability.empty()) {
    flags.push_back({"storage", "durability", common.durability, "--durability"});
  }
  return stack::gather_config(io::posix(), common.config, ::environ, flags, registry);
}

Result<std::unique_ptr<Store>> Context::open_store(bool create) {
  const Registry registry = Registry::builtin();
  STRATA_LET(const Config config, configuration(registry));
  OpenOptions options;
  options.create = create && !common.read_only;
  options.read_only = common.read_only;
  Result<std::unique_ptr<Store>> store = open(config, options, registry);
  if (store) return store;
  const std::string& folder = config.state().section("storage").values.text("data");
  const stack::FolderState state = stack::inspect(io::posix(), folder);
  too_new_ = state == stack::FolderState::too_new;
  no_store_ = !options.create && state == stack::FolderState::absent &&
              store.error().code() == Code::invalid_argument;
  return store;
}

Result<bool> Context::store_is_there() const {
  STRATA_LET(const Config config, configuration(Registry::builtin()));
  const std::string& folder = config.state().section("storage").values.text("data");
  return stack::inspect(io::posix(), folder) != stack::FolderState::absent;
}

ExitCode Context::status_of(const Error& error) const {
  if (too_new_) return ExitCode::too_new;
  if (no_store_) return ExitCode::not_found;
  return exit_code_of(error);
}

Result<std::optional<Keyspace>> keyspace_of(Store& store, const std::string& name, bool make) {
  if (!make) return Keyspaces(store.engine()).find(name);
  STRATA_LET(const Keyspace space, store.keyspace(name));
  return std::optional(space);
}

}  // namespace strata::cli
