#include "cli/serve_command.h"

#include "base/quote.h"
#include "io/files.h"
#include "io/posix_file_system.h"
#include "server/serve.h"

namespace strata::cli {

namespace {

constexpr std::size_t kPasswordFileBytesMax = 4096;

Result<std::string> password_of(const std::string& path) {
  if (path.empty()) return std::string();
  STRATA_LET(const std::optional<Bytes> text,
             io::read_file(io::posix(), path, kPasswordFileBytesMax));
  if (!text)
    return Error(Code::invalid_argument,
                 "--password-file " + base::quote(path) + ": there is no such file");
  std::string password = text->substr(0, text->find('\n'));
  if (password.ends_with('\r')) password.pop_back();
  if (password.empty()) {
    return Error(Code::invalid_argument,
                 "--password-file " + base::quote(path) + ": its first line is empty");
  }
  return password;
}

Durability durability_of(const std::string& name) {
  if (name == "none") return Durability::none;
  return name == "commit" ? Durability::commit : Durability::interval;
}

}  // namespace

Result<ExitCode> run_serve(Context& context, const ServeFlags& flags) {
  server::ServeOptions options;
  options.config_path = context.common.config;
  options.data_folder = context.common.data;
  options.backend = context.common.backend;
  options.addresses = flags.addresses;
  if (flags.port) options.port = static_cast<std::uint16_t>(*flags.port);
  options.unix_socket = flags.unix_socket;
  options.threads = flags.threads.value_or(0);
  options.memory = context.common.memory;
  if (!flags.durability.empty()) options.durability = durability_of(flags.durability);
  STRATA_LET(options.password, password_of(flags.password_file));
  return static_cast<ExitCode>(server::serve(options));
}

}  // namespace strata::cli
