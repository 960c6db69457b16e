// Bytes as hexadecimal digits and back.
#pragma once

#include <string>

#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::base {

/// Two lower-case digits a byte.
std::string hex_encode(BytesView bytes);

/// Digits of either case; an odd count or any other character is Code::invalid_argument.
Result<Bytes> hex_decode(BytesView digits);

}  // namespace strata::base
