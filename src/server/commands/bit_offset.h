// Places of bits as commands give them.
#pragma once

#include <cstdint>
#include <optional>

#include "server/command.h"

namespace strata::server {

/// A bit's place from 0 to 2^32 - 1. With `width` above 0, "#3" means 3 * width. Nothing: the
/// reply is the error.
std::optional<std::uint64_t> bit_offset_of(Call& call, BytesView text, unsigned width = 0);

}  // namespace strata::server
