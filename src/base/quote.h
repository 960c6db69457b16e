// quote(): bytes from outside, made fit to be shown in a message, a log line or on a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "strata/bytes.h"

namespace strata::base {

inline constexpr std::size_t kQuoteBytesMax = 64;

/// 'bytes' in single quotes: printable ASCII as it is, all else as \xNN (\n, \r, \t, \\ and \' by
/// their letters). Of more than `bytes_max` bytes only the first are shown, then "... (N bytes)".
std::string quote(BytesView bytes, std::size_t bytes_max = kQuoteBytesMax);

/// The same without the quotes and without a bound, appended to `to`; `mark` is escaped too.
void append_escaped(std::string& to, BytesView bytes, char mark);

}  // namespace strata::base
