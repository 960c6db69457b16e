// Values of parameters as text: checked against their row and brought to the form CONFIG GET shows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/parameters.h"
#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::server {

/// `given` as it will be shown; the error's message says what is wrong, in Redis's words.
/// `present` is the value up to now (of output limits only the named classes change).
Result<std::string> normal_value(const Parameter& parameter, BytesView given, BytesView present);

/// One class of client-output-buffer-limit.
struct OutputClass {
  std::string name;
  std::uint64_t hard_bytes = 0;
  std::uint64_t soft_bytes = 0;
  std::int64_t soft_s = 0;
};
/// The classes of a value in normal form.
std::vector<OutputClass> output_classes(BytesView text);

}  // namespace strata::server
