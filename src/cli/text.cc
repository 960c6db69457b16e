#include "cli/text.h"

#include "base/hex.h"
#include "base/utf8.h"
#include "strata/record.h"

namespace strata::cli {

Result<Bytes> bytes_of(const std::string& argument, Form form) {
  if (form != Form::hex) return argument;
  return base::hex_decode(argument);
}

void print(std::FILE* to, BytesView text) {
  // A failure stays with the stream; main() looks at it at the end.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), to));
}

void print_value(BytesView value, Form form) {
  print(stdout, form == Form::hex ? BytesView(base::hex_encode(value)) : value);
  if (form != Form::raw) print(stdout, "\n");
}

void append_json_string(std::string& to, BytesView utf8) {
  constexpr char kDigits[] = "0123456789abcdef";
  to += '"';
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      to += "\\u00";
      to += kDigits[byte >> 4];
      to += kDigits[byte & 15];
    } else {
      to += c;
    }
  }
  to += '"';
}

void append_json_bytes(std::string& to, std::string_view name, BytesView bytes) {
  const bool text = base::is_utf8(bytes);
  to += '"';
  to += name;
  to += text ? "\":" : "_hex\":";
  append_json_string(to, text ? bytes : BytesView(base::hex_encode(bytes)));
}

void complain(const std::string& sentence) { print(stderr, "strata: " + sentence + "\n"); }

Result<Bytes> read_stdin() {
  Bytes all;
  char piece[65536];
  while (true) {
    const std::size_t n = std::fread(piece, 1, sizeof piece, stdin);
    all.append(piece, n);
    if (all.size() > kValueBytesMax) {
      return Error(Code::invalid_argument, "standard input has more bytes than a value may have: " +
                                               std::to_string(kValueBytesMax));
    }
    if (n == 0) break;
  }
  if (std::ferror(stdin) != 0) return Error(Code::io, "standard input cannot be read");
  return all;
}

}  // namespace strata::cli
