// The only file that sees toml++.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include "stack/toml_file.h"

#include <toml++/toml.h>

#include "base/quote.h"

namespace strata::stack {

namespace {

/// Sets kind and text of a value that is no table.
void describe(const toml::node& node, TomlEntry& entry) {
  if (const auto* text = node.as_string()) {
    entry.kind = TomlKind::text;
    entry.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    entry.kind = TomlKind::integer;
    entry.text = std::to_string(integer->get());
  } else if (const auto* boolean = node.as_boolean()) {
    entry.kind = TomlKind::boolean;
    entry.text = boolean->get() ? "true" : "false";
  } else if (const auto* array = node.as_array()) {
    for (const toml::node& item : *array) {
      const auto* word = item.as_string();
      if (word == nullptr) return;
      entry.texts.push_back(word->get());
    }
    entry.kind = TomlKind::texts;
  }
}

void flatten(const toml::table& table, const std::vector<std::string>& above,
             std::vector<TomlEntry>& entries) {
  for (const auto& [key, node] : table) {
    TomlEntry entry;
    entry.path = above;
    entry.path.emplace_back(key.str());
    entry.line = key.source().begin.line;
    entry.column = key.source().begin.column;
    const toml::table* inner = node.as_table();
    if (inner != nullptr) {
      entry.kind = TomlKind::table;
    } else {
      describe(node, entry);
    }
    const std::vector<std::string> path = entry.path;
    entries.push_back(std::move(entry));
    // The parser bounds how deep tables may nest.
    if (inner != nullptr) flatten(*inner, path, entries);
  }
}

}  // namespace

std::string place(std::string_view name, std::uint32_t line, std::uint32_t column) {
  std::string text(name);
  text += ':' + std::to_string(line) + ':' + std::to_string(column);
  return text;
}

Result<std::vector<TomlEntry>> parse_toml(std::string_view text, std::string_view name) {
  if (text.size() > kTomlBytesMax) {
    return Error(Code::invalid_argument, std::string(name) + ": a configuration of " +
                                             std::to_string(text.size()) + " bytes, more than " +
                                             std::to_string(kTomlBytesMax));
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    std::string why;
    // The parser repeats bytes of the file, which may be anything.
    base::append_escaped(why, parsed.error().description(), '\\');
    return Error(Code::invalid_argument, place(name, at.line, at.column) + ": " + why);
  }
  std::vector<TomlEntry> entries;
  flatten(parsed.table(), {}, entries);
  return entries;
}

}  // namespace strata::stack
