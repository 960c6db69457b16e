#include "server/config_file.h"

#include <string_view>

#include "io/files.h"
#include "io/posix_file_system.h"
#include "strata/bytes.h"

namespace strata::server {
namespace {

// A TOML basic string.
std::string toml_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      result += '\\';
      result += letter;
    } else if (code < 0x20 || code == 0x7F) {
      result += "\\u00";
      result += kHex[code >> 4];
      result += kHex[code & 15];
    } else {
      result += letter;
    }
  }
  return result + '"';
}

}  // namespace

std::string with_redis_table(const std::string& text,
                             const std::map<std::string, std::string>& parameters) {
  std::string table = "[redis]\n";
  for (const auto& [name, value] : parameters) {
    table += name + " = " + toml_string(value) + "\n";
  }
  std::string result;
  bool inside = false;
  bool written = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line =
        rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
    rest.remove_prefix(line.size());
    if (line.starts_with('[')) {
      inside = line.starts_with("[redis]");
      if (inside && !written) {
        result += table;
        written = true;
      }
    }
    if (!inside) result += line;
  }
  if (!written) {
    if (!result.empty() && result.back() != '\n') result += '\n';
    result += (result.empty() ? "" : "\n") + table;
  }
  return result;
}

Result<> rewrite_config_file(const std::string& path,
                             const std::map<std::string, std::string>& parameters) {
  io::FileSystem& files = io::posix();
  STRATA_LET(const std::optional<Bytes> text, io::read_file(files, path));
  return io::write_file_atomically(files, path, with_redis_table(text.value_or(""), parameters));
}

}  // namespace strata::server
