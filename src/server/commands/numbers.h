// Numbers as commands give them, with Redis's errors.
#pragma once

#include <cstdint>
#include <optional>

#include "server/command.h"

namespace strata::server {

/// A number that fits an int. Nothing: the reply is the error.
std::optional<int> int_of(Call& call, BytesView text);
/// The number of a database that exists. Nothing: the reply is the error.
std::optional<int> database_of(Call& call, BytesView text);

}  // namespace strata::server
