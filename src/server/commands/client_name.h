// What a client may be called.
#pragma once

#include <algorithm>
#include <string_view>

#include "strata/bytes.h"

namespace strata::server {

/// Only letters that can be seen, no blank; empty takes the name away.
inline bool is_client_name(BytesView name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}
inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

}  // namespace strata::server
