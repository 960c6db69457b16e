#include "server/words.h"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace strata::server {
namespace {

char low(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// One element of a pattern against one character; `at` moves behind the element.
bool element_matches(BytesView pattern, std::size_t& at, char letter, bool ignore_case) {
  const auto fold = [&](char c) { return ignore_case ? low(c) : c; };
  const auto number = [&](char c) { return static_cast<unsigned char>(fold(c)); };
  if (pattern[at] == '?') {
    ++at;
    return true;
  }
  if (pattern[at] == '[') {
    ++at;
    const bool negated = at < pattern.size() && pattern[at] == '^';
    if (negated) ++at;
    bool found = false;
    while (at < pattern.size() && pattern[at] != ']') {
      if (pattern[at] == '\\' && at + 1 < pattern.size()) {
        ++at;
        found = found || fold(pattern[at]) == fold(letter);
        ++at;
      } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
        unsigned char first = number(pattern[at]);
        unsigned char last = number(pattern[at + 2]);
        if (first > last) std::swap(first, last);
        found = found || (number(letter) >= first && number(letter) <= last);
        at += 3;
      } else {
        found = found || fold(pattern[at]) == fold(letter);
        ++at;
      }
    }
    if (at < pattern.size()) ++at;  // the bracket; a pattern may also end without it
    return found != negated;
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return fold(pattern[at++]) == fold(letter);
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = low(letter);
  return result;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return result;
}

bool is_word(BytesView text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (low(text[i]) != low(word[i])) return false;
  }
  return true;
}

// Only the last star is ever gone back to: an earlier one can give nothing that the last cannot.
bool matches(BytesView pattern, BytesView text, bool ignore_case) {
  std::size_t at = 0;
  std::size_t star = BytesView::npos;
  std::size_t star_text = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      star_text = i;
      continue;
    }
    if (at < pattern.size() && element_matches(pattern, at, text[i], ignore_case)) {
      ++i;
      continue;
    }
    if (star == BytesView::npos) return false;
    at = star;
    i = ++star_text;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

BytesView literal_prefix(BytesView pattern) {
  return pattern.substr(0, pattern.find_first_of("*?[\\"));
}

std::string quoted(BytesView text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kNamed = "\n\r\t\a\b\\\"";
  constexpr std::string_view kNames = "nrtab\\\"";
  std::string result = "\"";
  for (const char letter : text) {
    if (const auto named = kNamed.find(letter); named != std::string_view::npos) {
      result += '\\';
      result += kNames[named];
    } else if (letter >= ' ' && letter <= '~') {
      result += letter;
    } else {
      result += "\\x";
      result += kHex[static_cast<unsigned char>(letter) >> 4];
      result += kHex[static_cast<unsigned char>(letter) & 15];
    }
  }
  return result + '"';
}

std::optional<std::int64_t> integer_of(BytesView text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  const std::size_t first = text[0] == '-' ? 1 : 0;
  if (first == text.size()) return std::nullopt;
  if (text[first] == '0' && text.size() > 1) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<long double> real_of(BytesView text) {
  // As strtold, which Redis uses: it takes inf and hexadecimal, and what overflows is refused.
  constexpr std::size_t kBytesMax = 5 * 1024;
  if (text.empty() || text.size() >= kBytesMax) return std::nullopt;
  if (std::isspace(static_cast<unsigned char>(text[0])) != 0) return std::nullopt;
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  const long double value = std::strtold(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

}  // namespace strata::server
