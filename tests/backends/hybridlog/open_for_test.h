// Opens the engine as a configuration would, with options by name.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/hybridlog/backend.h"
#include "strata/backend.h"

namespace strata::backends::hybridlog {

inline Result<std::unique_ptr<Engine>> open_for_test(
    const Environment& environment, const std::vector<std::pair<std::string, std::string>>& set) {
  Registry registry;
  add_to(registry);
  const BackendSpec& spec = registry.backends().front();
  OptionValues options(spec.options);
  for (const auto& [name, value] : set) STRATA_TRY(options.set(name, value));
  return spec.open(options, environment);
}

}  // namespace strata::backends::hybridlog
