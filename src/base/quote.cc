// Escapes: what is shown can neither move a cursor nor end a line.
#include "base/quote.h"

namespace strata::base {

void append_escaped(std::string& to, BytesView bytes, char mark) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      to += "\\n";
    } else if (c == '\r') {
      to += "\\r";
    } else if (c == '\t') {
      to += "\\t";
    } else if (c == '\\' || c == mark) {
      to += '\\';
      to += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      to += c;
    } else {
      to += "\\x";
      to += kDigits[byte >> 4];
      to += kDigits[byte & 15];
    }
  }
}

std::string quote(BytesView bytes, std::size_t bytes_max) {
  std::string text = "'";
  append_escaped(text, bytes.substr(0, bytes_max), '\'');
  text += '\'';
  if (bytes.size() > bytes_max) text += "... (" + std::to_string(bytes.size()) + " bytes)";
  return text;
}

}  // namespace strata::base
