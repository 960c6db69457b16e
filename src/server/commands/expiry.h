// Expiry times as commands give them: EX, PX, EXAT, PXAT and the EXPIRE family.
#pragma once

#include <cstdint>
#include <optional>

#include "server/command.h"

namespace strata::server {

enum class TimeUnit : std::uint8_t { seconds, milliseconds };
enum class TimeBase : std::uint8_t { now, epoch };

/// The absolute time in ms of `number`, which must be above 0 and not overflow. Otherwise the
/// reply is the error that Redis gives, and nothing is returned.
std::optional<std::int64_t> expiry_of(Call& call, BytesView number, TimeUnit unit, TimeBase base);

}  // namespace strata::server
