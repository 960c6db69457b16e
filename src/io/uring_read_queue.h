// The ReadQueue over io_uring, behind a function: its header is needed in one file alone.
#pragma once

#include <cstddef>
#include <memory>

#include "io/read_queue.h"

namespace strata::io {

/// Null where io_uring cannot be had: the kernel is too old, a policy forbids it, its memory is
/// short; and under the thread sanitizer, which does not see what the kernel hands over.
std::unique_ptr<ReadQueue> make_uring_read_queue(std::size_t depth);

}  // namespace strata::io
