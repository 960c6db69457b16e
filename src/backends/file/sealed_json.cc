// nlohmann's parser reads; writing flat text is less than what its tree would cost.
#include "backends/file/sealed_json.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/crc32c.h"

namespace strata::backends::file {

namespace {

constexpr std::string_view kSealName = "\"crc32c\": \"";
constexpr std::size_t kSealBytes = kSealName.size() + 8 + 4;  // 8 digits, then `"\n}\n`

}  // namespace

void SealedWriter::name(std::string_view name) {
  fmt::format_to(std::back_inserter(text_), "\"{}\": ", name);
}

void SealedWriter::text(std::string_view member, std::string_view value) {
  name(member);
  text_.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') text_.push_back('\\');
    text_.push_back(c);
  }
  text_ += "\",\n";
}

void SealedWriter::number(std::string_view member, std::uint64_t value) {
  name(member);
  fmt::format_to(std::back_inserter(text_), "{},\n", value);
}

void SealedWriter::signed_number(std::string_view member, std::int64_t value) {
  name(member);
  fmt::format_to(std::back_inserter(text_), "{},\n", value);
}

void SealedWriter::flag(std::string_view member, bool value) {
  name(member);
  text_ += value ? "true,\n" : "false,\n";
}

Bytes SealedWriter::seal() && {
  const std::uint32_t crc = base::crc32c(text_);
  fmt::format_to(std::back_inserter(text_), "{}{:08x}\"\n}}\n", kSealName, crc);
  return std::move(text_);
}

Result<SealedReader> SealedReader::open(BytesView text) {
  if (text.size() < kSealBytes || text.size() > kSealedBytesMax) {
    return bad(fmt::format("it has {} bytes", text.size()));
  }
  const BytesView body = text.substr(0, text.size() - kSealBytes);
  const std::string seal = fmt::format("{}{:08x}\"\n}}\n", kSealName, base::crc32c(body));
  if (text.substr(body.size()) != seal) return bad("its checksum differs from its bytes");

  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_object()) return bad("it is no JSON object");
  SealedReader reader;
  for (const auto& [name, value] : parsed.items()) {
    if (value.is_string()) {
      reader.members_.emplace(name, value.get<std::string>());
    } else if (value.is_number_unsigned()) {
      reader.members_.emplace(name, value.get<std::uint64_t>());
    } else if (value.is_number_integer()) {
      reader.members_.emplace(name, value.get<std::int64_t>());
    } else if (value.is_boolean()) {
      reader.members_.emplace(name, value.get<bool>());
    } else {
      return bad(fmt::format("its member \"{}\" is of a kind that is not used", name));
    }
  }
  reader.members_.erase("crc32c");
  return reader;
}

template <class T>
Result<T> SealedReader::take(std::string_view name) {
  const auto found = members_.find(name);
  if (found == members_.end()) return bad(fmt::format("it has no member \"{}\"", name));
  T* const value = std::get_if<T>(&found->second);
  if (value == nullptr) return bad(fmt::format("its member \"{}\" is of another kind", name));
  T taken = std::move(*value);
  members_.erase(found);
  return taken;
}

Result<std::string> SealedReader::text(std::string_view name) { return take<std::string>(name); }

Result<std::uint64_t> SealedReader::number(std::string_view name) {
  return take<std::uint64_t>(name);
}

Result<std::int64_t> SealedReader::signed_number(std::string_view name) {
  const auto found = members_.find(name);
  if (found != members_.end()) {
    if (const auto* number = std::get_if<std::uint64_t>(&found->second)) {
      if (*number > INT64_MAX) return bad(fmt::format("its member \"{}\" is too large", name));
      found->second = static_cast<std::int64_t>(*number);
    }
  }
  return take<std::int64_t>(name);
}

Result<bool> SealedReader::flag(std::string_view name) { return take<bool>(name); }

Result<> SealedReader::finish() const {
  if (members_.empty()) return {};
  return bad(fmt::format("its member \"{}\" is not known to this version", first_left()));
}

bool is_plain_text(BytesView bytes, bool with_lines) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned char first = at(i);
    const bool line = first == '\n' || first == '\r' || first == '\t';
    if (first == 0x7F || (first < 0x20 && !(with_lines && line))) return false;
    const std::size_t length = first < 0x80             ? 1
                               : (first & 0xE0) == 0xC0 ? 2
                               : (first & 0xF0) == 0xE0 ? 3
                               : (first & 0xF8) == 0xF0 ? 4
                                                        : 0;
    if (length == 0 || i + length > bytes.size()) return false;
    std::uint32_t point = length == 1 ? first : first & (0x7Fu >> length);
    for (std::size_t j = 1; j < length; ++j) {
      if ((at(i + j) & 0xC0) != 0x80) return false;
      point = point << 6 | (at(i + j) & 0x3F);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10FFFF) return false;
    if ((point >= 0xD800 && point <= 0xDFFF) || (point >= 0x80 && point < 0xA0)) return false;
    i += length;
  }
  return true;
}

}  // namespace strata::backends::file
