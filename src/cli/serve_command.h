// serve: the flags of `strata serve`, handed to the server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"

namespace strata::cli {

/// As written; what was not said is empty.
struct ServeFlags {
  std::vector<std::string> addresses;
  std::optional<int> port;
  std::string unix_socket;
  std::optional<unsigned> threads;
  std::string durability;
  std::string password_file;
};

Result<ExitCode> run_serve(Context& context, const ServeFlags& flags);

}  // namespace strata::cli
