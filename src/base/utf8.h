// UTF-8: whether bytes are text.
#pragma once

#include <cstddef>

#include "strata/bytes.h"

namespace strata::base {

/// How many bytes at the front are UTF-8: all of them, or up to the first character that is not
/// (a form longer than needed, a surrogate, a cut one).
std::size_t utf8_prefix_bytes(BytesView bytes) noexcept;

inline bool is_utf8(BytesView bytes) noexcept { return utf8_prefix_bytes(bytes) == bytes.size(); }

}  // namespace strata::base
