#include "server/inline_words.h"

#include <optional>

namespace strata::server {
namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// `at` stands behind the opening quote, afterwards behind the closing one.
bool take_quoted(BytesView line, std::size_t& at, char quote, Bytes& word) {
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (c == quote) {
      ++at;
      return at == line.size() || is_blank(line[at]);
    }
    if (c != '\\' || at + 1 >= line.size()) {
      word += c;
    } else if (quote == '\'') {
      if (line[at + 1] == '\'') ++at;
      word += line[at];
    } else {
      const auto high =
          at + 3 < line.size() && line[at + 1] == 'x' ? hex_digit(line[at + 2]) : std::nullopt;
      const auto low = high ? hex_digit(line[at + 3]) : std::nullopt;
      if (low) {
        word += static_cast<char>(*high * 16 + *low);
        at += 3;
      } else {
        word += unescaped(line[++at]);
      }
    }
  }
  return false;
}

}  // namespace

bool split_words(BytesView line, std::vector<Bytes>& words) {
  words.clear();
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return true;
    Bytes& word = words.emplace_back();
    while (at < line.size() && !is_blank(line[at])) {
      const char c = line[at++];
      if (c != '"' && c != '\'') {
        word += c;
      } else if (!take_quoted(line, at, c, word)) {
        return false;
      }
    }
  }
}

}  // namespace strata::server
