// How one event becomes one line. Behind log.h; seen by log.cc and its tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"

namespace strata::base::log {

struct Event {
  std::int64_t wall_ms = 0;
  Level level = Level::info;
  std::string_view id;  // of a warning, else empty
  std::string_view component;
  std::string_view message;
  Fields fields;
};

/// Where the level's word stands in a text line, for colours.
inline constexpr std::size_t kLevelFirst = 25;

std::string text_line(const Event& event);
std::string json_line(const Event& event);

/// "2026-01-02T03:04:05.678Z".
std::string rfc3339(std::int64_t wall_ms);

}  // namespace strata::base::log
