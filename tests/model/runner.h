// Runner: an engine beside a std::map; both do the same, and are compared after every step.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/subject.h"
#include "model/operations.h"

namespace strata::model {

/// Runs the operations from an empty folder. Nothing, or what differed and after which operation.
/// With a fault, the engine lies in that way.
std::optional<std::string> run(const conformance::Subject& subject, std::string_view fault,
                               const std::vector<Operation>& operations);

}  // namespace strata::model
