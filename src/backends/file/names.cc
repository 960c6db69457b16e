// Percent-encoding where it fits, the hash where it does not.
#include "backends/file/names.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"
#include "base/quote.h"
#include "codec/sha256.h"

namespace strata::backends::file {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// As much of the key as fits in `bytes_max`, never half an escape. Gives whether all of it did.
bool encode(BytesView key, std::size_t bytes_max, std::string& name) {
  constexpr std::string_view kUpperDigits = "0123456789ABCDEF";
  for (const char c : key) {
    const bool plain = is_plain(c) && !(c == '.' && name.empty());
    if (name.size() + (plain ? 1 : 3) > bytes_max) return false;
    if (plain) {
      name.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name.push_back('%');
    name.push_back(kUpperDigits[byte >> 4]);
    name.push_back(kUpperDigits[byte & 15]);
  }
  return true;
}

}  // namespace

Place place_of(BytesView key) {
  const codec::Sha256 hash = codec::sha256(key);
  Place place;
  place.leaf = static_cast<Leaf>(hash[0] << 4 | hash[1] >> 4);
  place.name.reserve(64);
  if (key.empty()) {
    place.name = "%";
  } else if (!encode(key, kNameBytesMax, place.name)) {
    place.name.clear();
    encode(key, kNamePrefixBytesMax, place.name);
    place.name += "%%";
    place.name += base::hex_encode({reinterpret_cast<const char*>(hash.data()), hash.size()});
  }
  return place;
}

std::string name_prefix(BytesView key_prefix) {
  std::string name;
  // A key that goes by its hash shows at least this much of itself.
  encode(key_prefix, kNamePrefixBytesMax - 2, name);
  return name;
}

std::string top_name(unsigned top) {
  const char byte = static_cast<char>(top);
  return base::hex_encode({&byte, 1});
}

std::string leaf_path(Leaf leaf) {
  std::string path = top_name(top_of(leaf));
  path.push_back('/');
  path.push_back(kHexDigits[leaf % kLeavesPerTop]);
  return path;
}

std::optional<unsigned> parse_top_name(std::string_view name) {
  const Result<Bytes> byte = base::hex_decode(name);
  if (!byte || byte->size() != 1 || base::hex_encode(*byte) != name) return {};
  return static_cast<unsigned char>(byte->front());
}

std::optional<unsigned> parse_leaf_digit(std::string_view name) {
  if (name.size() != 1) return {};
  const std::size_t digit = kHexDigits.find(name.front());
  if (digit == std::string_view::npos) return {};
  return static_cast<unsigned>(digit);
}

std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
  if (digits.empty() || (digits.front() == '0' && digits.size() > 1)) return {};
  if (digits.front() < '0' || digits.front() > '9') return {};
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || stop != end) return {};
  return number;
}

std::optional<std::uint32_t> parse_keyspace_name(std::string_view name) {
  const std::optional<std::uint64_t> number = parse_decimal(name);
  if (!number || *number > UINT32_MAX) return {};
  return static_cast<std::uint32_t>(*number);
}

std::string value_file_name(std::string_view name, std::uint64_t version) {
  std::string file(name);
  file.push_back('@');
  file += std::to_string(version);
  return file;
}

bool is_record_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) { return is_plain(c) || c == '%'; });
}

std::string describe_key(std::string_view name) {
  const std::size_t hash = name.find("%%");
  Bytes key;
  const std::string_view escaped = name.substr(0, hash);
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '%') {
      key.push_back(escaped[i]);
      continue;
    }
    if (const Result<Bytes> byte = base::hex_decode(escaped.substr(i + 1, 2))) key += *byte;
    i += 2;
  }
  return base::quote(key) + (hash == std::string_view::npos ? "" : " and so on");
}

std::optional<FileName> parse_file_name(std::string_view file) {
  const std::size_t at = file.find('@');
  if (at == std::string_view::npos || !is_record_name(file.substr(0, at))) return {};
  FileName parsed{.name = file.substr(0, at)};
  const std::string_view suffix = file.substr(at);
  if (suffix == kMetaSuffix) {
    parsed.role = FileRole::meta;
  } else if (suffix == kNextSuffix) {
    parsed.role = FileRole::next;
  } else if (suffix == kTempSuffix) {
    parsed.role = FileRole::temp;
  } else if (const std::optional<std::uint64_t> version = parse_decimal(suffix.substr(1))) {
    parsed.version = *version;
  } else {
    return {};
  }
  return parsed;
}

}  // namespace strata::backends::file
