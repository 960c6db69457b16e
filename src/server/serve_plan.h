// ServePlan: what `serve` is going to do, from the flags, the environment and the file.
#pragma once

#include <memory>
#include <string>

#include "server/listener.h"
#include "server/serve.h"
#include "strata/store.h"

namespace strata::server {

struct ServePlan {
  Config config;
  std::string data_folder{};  ///< empty: nothing persists
  std::uint64_t memory_bytes = 0;
  unsigned threads = 1;
  ListenOptions listen{};
  std::unique_ptr<Settings> settings;
};

/// An error names the flag, the variable, or the file's line.
Result<ServePlan> plan_serve(const ServeOptions& options, const Registry& registry);

}  // namespace strata::server
