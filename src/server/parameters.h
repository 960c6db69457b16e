// Parameter: one row for each parameter name of Redis 7.0. Those that mean something here are bound
// to it in settings.cc; the others are checked, kept and given back.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace strata::server {

struct Parameter {
  enum class Kind : std::uint8_t {
    text,
    integer,
    memory,  ///< "100mb", or a number of bytes
    boolean,
    choice,
    events,         ///< classes of keyspace notifications
    output_limits,  ///< class, hard limit, soft limit, seconds; for one or more classes
    save            ///< pairs of seconds and changes
  };
  enum class Access : std::uint8_t {
    changeable,
    immutable,  ///< only at the start
    guarded     ///< CONFIG SET never changes it
  };
  std::string_view name;
  Kind kind = Kind::text;
  std::string_view fallback{};
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
  std::span<const std::string_view> choices{};
  Access access = Access::changeable;
  std::string_view alias_of{};  ///< an old name of that row
  bool secret = false;          ///< never logged or written to a file
};

/// All rows, by name.
std::span<const Parameter> parameters();

}  // namespace strata::server
