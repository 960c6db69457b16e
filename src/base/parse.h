// Numbers, sizes and durations as people write them, and back.
//
// Always: the whole text is the number, with no space, sign or digit left over; an error quotes the
//         text and says what would have been right. format_*(n) is read back by parse_* as n.
#pragma once

#include <cstdint>
#include <string>

#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::base {

/// Decimal, with an optional '-'.
Result<std::int64_t> parse_int64(BytesView text);
/// Decimal, no sign.
Result<std::uint64_t> parse_uint64(BytesView text);
/// "1024", "512MB", "4GiB": whole numbers of B, KB MB GB TB (powers of 1000) or KiB MiB GiB TiB
/// (powers of 1024), in either case. At most 2^63 - 1 bytes.
Result<std::uint64_t> parse_size(BytesView text);
/// "250ms", "1s", "15m", "24h", "7d", in milliseconds; a bare "0" too.
Result<std::int64_t> parse_duration_ms(BytesView text);

/// Exactly `bytes`, in the largest unit that divides it: "4GiB", "512MB", "1025".
std::string format_size(std::uint64_t bytes);
/// Exactly `ms` >= 0, in the largest unit that divides it: "250ms", "24h".
std::string format_duration_ms(std::int64_t ms);
/// For reading, rounded to one digit behind the point: "4.0 GiB", "512 B".
std::string human_size(std::uint64_t bytes);
/// For reading: "250 ms", "1.5 s", "2m 05s", "3h 20m", "5d 04h".
std::string human_duration_ms(std::int64_t ms);

}  // namespace strata::base
