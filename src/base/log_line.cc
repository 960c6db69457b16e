// Escaping stands here once for each of the two formats; no byte reaches a line past it.
#include "base/log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "base/quote.h"

namespace strata::base::log {
namespace {

constexpr std::size_t kTextBytesMax = 1024;  // of a message or a value

constexpr std::array<std::string_view, 5> kTextLevels{"DEBUG", "INFO ", "WARN ", "ERROR", "OFF  "};
constexpr std::array<std::string_view, 5> kJsonLevels{"debug", "info", "warning", "error", "off"};

std::string_view name_of(const std::array<std::string_view, 5>& names, Level level) {
  return names[static_cast<std::size_t>(level)];
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kTextBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\';
         });
}

void append_cut_mark(std::string& to, std::string_view text) {
  if (text.size() > kTextBytesMax) to += fmt::format("...({} bytes)", text.size());
}

struct TextValue {
  std::string& to;
  void operator()(std::string_view text) const {
    if (is_plain(text)) {
      to += text;
      return;
    }
    to += '"';
    append_escaped(to, text.substr(0, kTextBytesMax), '"');
    append_cut_mark(to, text);
    to += '"';
  }
  template <class Number>
  void operator()(Number number) const {
    to += fmt::format("{}", number);
  }
};

/// How many bytes from `at` on are one well-formed UTF-8 character; 0: none.
std::size_t utf8_bytes(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t left = text.size() - at;
  const std::size_t n = byte(0) < 0x80   ? 1
                        : byte(0) < 0xc2 ? 0
                        : byte(0) < 0xe0 ? 2
                        : byte(0) < 0xf0 ? 3
                        : byte(0) < 0xf5 ? 4
                                         : 0;
  if (n == 0 || n > left) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool outside = (byte(0) == 0xed && byte(1) > 0x9f) || (byte(0) == 0xf4 && byte(1) > 0x8f);
  return n > 1 && (overlong || outside) ? 0 : n;
}

/// Bytes that are no UTF-8 become \u0080 to \u00ff: JSON has no bytes.
void append_json_string(std::string& to, std::string_view whole) {
  const std::string_view text = whole.substr(0, kTextBytesMax);
  to += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_bytes(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\') {
      to += '\\';
      to += text[i];
    } else if (n == 0 || byte < 0x20 || byte == 0x7f) {
      to += fmt::format("\\u{:04x}", byte);
    } else {
      to += text.substr(i, n);
    }
    i += std::max<std::size_t>(n, 1);
  }
  append_cut_mark(to, whole);
  to += '"';
}

struct JsonValue {
  std::string& to;
  void operator()(std::string_view text) const { append_json_string(to, text); }
  void operator()(double number) const {
    to += std::isfinite(number) ? fmt::format("{}", number) : "null";
  }
  template <class Number>
  void operator()(Number number) const {
    to += fmt::format("{}", number);
  }
};

void append_json_text(std::string& to, std::string_view key, std::string_view text) {
  to += fmt::format(",\"{}\":", key);
  append_json_string(to, text);
}

}  // namespace

std::string rfc3339(std::int64_t wall_ms) {
  std::int64_t ms = wall_ms % 1000;
  if (ms < 0) ms += 1000;
  const auto seconds = static_cast<std::time_t>((wall_ms - ms) / 1000);
  std::tm utc{};
  if (::gmtime_r(&seconds, &utc) == nullptr) return fmt::format("{}ms", wall_ms);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms);
}

std::string text_line(const Event& event) {
  std::string line = rfc3339(event.wall_ms);
  line += ' ';
  line += name_of(kTextLevels, event.level);
  line += ' ';
  append_escaped(line, event.component, '\\');
  line += ": ";
  append_escaped(line, event.message.substr(0, kTextBytesMax), '\\');
  append_cut_mark(line, event.message);
  if (!event.id.empty()) line += fmt::format(" id={}", event.id);
  for (const Field& field : event.fields) {
    line += ' ';
    append_escaped(line, field.key, '=');
    line += '=';
    std::visit(TextValue{line}, field.value.get());
  }
  return line;
}

std::string json_line(const Event& event) {
  std::string line = fmt::format("{{\"time\":\"{}\",\"level\":\"{}\"", rfc3339(event.wall_ms),
                                 name_of(kJsonLevels, event.level));
  append_json_text(line, "component", event.component);
  append_json_text(line, "message", event.message);
  if (!event.id.empty()) append_json_text(line, "id", event.id);
  for (const Field& field : event.fields) {
    line += ',';
    append_json_string(line, field.key);
    line += ':';
    std::visit(JsonValue{line}, field.value.get());
  }
  line += '}';
  return line;
}

}  // namespace strata::base::log
