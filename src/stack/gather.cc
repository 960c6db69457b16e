#include "stack/gather.h"

#include "io/files.h"
#include "stack/store_file.h"

namespace strata::stack {

namespace {

Result<> add_stronger(ConfigBuilder& builder, const char* const* environment,
                      std::span<const FlagValue> flags) {
  if (environment != nullptr) STRATA_TRY(builder.add_environment(environment));
  for (const FlagValue& flag : flags) {
    const Result<> set =
        builder.set(flag.section, flag.name, flag.written, {Origin::flag, flag.flag});
    if (!set) return Error(set.error().code(), flag.flag + ": " + set.error().message());
  }
  return {};
}

}  // namespace

Result<Config> gather_config(io::FileSystem& files, const std::string& config_path,
                             const char* const* environment, std::span<const FlagValue> flags,
                             const Registry& registry) {
  ConfigBuilder builder(registry);
  if (!config_path.empty()) {
    STRATA_TRY(builder.add_file(files, config_path));
  } else {
    // The folder may itself come from a variable or a flag.
    ConfigBuilder without_file(registry);
    STRATA_TRY(add_stronger(without_file, environment, flags));
    STRATA_LET(const Config config, std::move(without_file).build());
    const std::string& folder = config.state().section("storage").values.text("data");
    const std::string path = io::join_path(folder, kConfigFileName);
    STRATA_LET(const std::optional<io::FileInfo> there, files.stat(path));
    if (!folder.empty() && there) STRATA_TRY(builder.add_file(files, path));
  }
  STRATA_TRY(add_stronger(builder, environment, flags));
  return std::move(builder).build();
}

}  // namespace strata::stack
