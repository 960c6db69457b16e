// TOML text as a flat list of what stands in it, in the order of the file. toml++ stays behind it.
//
// Always: bounded by kTomlBytesMax; an error names file, line and column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "strata/result.h"

namespace strata::stack {

inline constexpr std::size_t kTomlBytesMax = 1024 * 1024;

enum class TomlKind : std::uint8_t {
  table,  ///< a table begins; its entries follow
  text,
  integer,
  boolean,
  texts,  ///< an array of texts, possibly empty
  other   ///< a float, a date, an array of something else
};

struct TomlEntry {
  std::vector<std::string> path;  ///< table, table, ..., key
  TomlKind kind = TomlKind::other;
  std::string text;                ///< of text, integer, boolean: as an option is written
  std::vector<std::string> texts;  ///< of texts
  std::uint32_t line = 0;          ///< of the key, from 1
  std::uint32_t column = 0;
};

/// `name` stands for the file in errors.
Result<std::vector<TomlEntry>> parse_toml(std::string_view text, std::string_view name);

/// "strata.toml:3:7"
std::string place(std::string_view name, std::uint32_t line, std::uint32_t column);

}  // namespace strata::stack
