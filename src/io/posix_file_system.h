// The machine's own file system.
#pragma once

#include "io/file_system.h"

namespace strata::io {

/// Has no state, and lives as long as the program. Descriptors are closed on exec.
FileSystem& posix() noexcept;

}  // namespace strata::io
