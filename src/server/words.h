// Small text helpers of commands: case, patterns, and the error lines that many of them share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "strata/bytes.h"
#include "strata/version.h"

namespace strata::server {

std::string lower(std::string_view text);
std::string upper(std::string_view text);
/// Whether `text` is `word` without regard to ASCII case.
bool is_word(BytesView text, std::string_view word);
/// Redis's glob patterns: * ? [a-z] [^a] and backslash. Linear in pattern times text at the worst,
/// never exponential.
bool matches(BytesView pattern, BytesView text, bool ignore_case = false);
/// The literal beginning of a pattern, up to its first special character.
BytesView literal_prefix(BytesView pattern);

/// In double quotes, with \xNN, \n and so on for what cannot be shown: as redis-cli would read it.
std::string quoted(BytesView text);

/// A whole signed number as Redis takes it: no blanks, no plus, no leading zeros, in range.
std::optional<std::int64_t> integer_of(BytesView text);
/// A whole floating point number as Redis takes it (also inf), no blanks; not NaN.
std::optional<long double> real_of(BytesView text);

/// The version that clients gate features on.
inline constexpr std::string_view kRedisVersion = "7.0.15";
inline constexpr std::string_view kStrataVersion = STRATA_VERSION;

inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kNotFloat = "ERR value is not a valid float";
inline constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";

}  // namespace strata::server
