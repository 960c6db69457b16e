// system_error(): what the system answered, as an Error that names the call and the path.
#pragma once

#include <cstdint>
#include <string_view>

#include "strata/result.h"

namespace strata::io {

/// "open 'data/LOCK': Permission denied". `error_number` is errno's; the code follows from it.
Error system_error(std::string_view call, std::string_view path, int error_number);

/// "read at byte 4096 of 'data/000017.log': Input/output error".
Error read_error(std::string_view path, std::uint64_t offset, int error_number);

}  // namespace strata::io
