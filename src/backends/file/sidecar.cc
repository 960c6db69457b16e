// Sidecars to text and back. Times are kept to the millisecond in years 0 to 9999.
#include "backends/file/sidecar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "backends/file/names.h"
#include "backends/file/sealed_json.h"
#include "base/hex.h"

namespace strata::backends::file {

namespace {

constexpr std::uint64_t kSidecarFormat = 1;
constexpr std::array<std::string_view, 10> kTypeNames = {
    "string", "list", "hash",           "set",   "sorted_set",
    "stream", "json", "chunk_manifest", "block", "system"};

constexpr std::int64_t kTimeMin = -62'167'219'200'000;  // 0000-01-01
constexpr std::int64_t kTimeMax = 253'402'300'799'999;  // 9999-12-31, its last millisecond

std::string time_text(std::int64_t ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(std::clamp(ms, kTimeMin, kTimeMax))};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Result<std::int64_t> parse_time(std::string_view text) {
  // Each digit's place is known; what is not a digit must be as time_text writes it.
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000Z";
  const auto fits = [](char c, char form) {
    return form == '0' ? c >= '0' && c <= '9' : c == form;
  };
  if (text.size() != kForm.size() || !std::ranges::equal(text, kForm, fits)) {
    return bad(fmt::format("its time {} is not of the form {}", text, kForm));
  }
  const auto number = [&](std::size_t from, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(from, digits)) value = value * 10 + (c - '0');
    return value;
  };
  using namespace std::chrono;
  const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) {
    return bad(fmt::format("its time {} does not exist", text));
  }
  const auto time = sys_days(date) + hours(number(11, 2)) + minutes(number(14, 2)) +
                    seconds(number(17, 2)) + milliseconds(number(20, 3));
  return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

Result<Bytes> hex_member(SealedReader& reader, std::string_view name) {
  STRATA_LET(const std::string digits, reader.text(name));
  Result<Bytes> bytes = base::hex_decode(digits);
  if (!bytes) return bad(fmt::format("its member \"{}\" is not in hex", name));
  return *std::move(bytes);
}

template <class T>
Result<T> number_member(SealedReader& reader, std::string_view name, std::uint64_t max) {
  STRATA_LET(const std::uint64_t number, reader.number(name));
  if (number > max) {
    return bad(fmt::format("its member \"{}\" is {}, more than {}", name, number, max));
  }
  return static_cast<T>(number);
}

Result<> decode_attributes(SealedReader& reader, RecordInfo& info) {
  STRATA_LET(const std::string type, reader.text("type"));
  const auto* const found = std::ranges::find(kTypeNames, type);
  if (found == kTypeNames.end()) return bad(fmt::format("its type \"{}\" is not known", type));
  info.type = static_cast<ValueType>(found - kTypeNames.begin());
  if (reader.has("expires_ms")) {
    STRATA_LET(info.expires_ms, reader.signed_number("expires_ms"));
  }
  if (reader.has("codec")) {
    STRATA_LET(info.codec, number_member<std::uint8_t>(reader, "codec", UINT8_MAX));
  }
  if (reader.has("dictionary")) {
    STRATA_LET(info.dictionary, number_member<std::uint32_t>(reader, "dictionary", UINT32_MAX));
  }
  if (reader.has("encryption_key")) {
    STRATA_LET(info.encryption_key,
               number_member<std::uint32_t>(reader, "encryption_key", UINT32_MAX));
  }
  if (reader.has("extension_hex")) {
    STRATA_LET(info.extension, hex_member(reader, "extension_hex"));
    if (info.extension.size() > kExtensionBytesMax) return bad("its extension is too long");
  }
  return {};
}

}  // namespace

Bytes encode_sidecar(const Sidecar& sidecar) {
  const RecordInfo& info = sidecar.info;
  SealedWriter writer;
  writer.number("strata_sidecar", kSidecarFormat);
  if (is_plain_text(sidecar.key)) {
    writer.text("key", sidecar.key);
  } else {
    writer.text("key_hex", base::hex_encode(sidecar.key));
  }
  writer.text("value_file", sidecar.value_file);
  writer.number("size", info.value_bytes);
  const auto* const hash = reinterpret_cast<const char*>(sidecar.sha256.data());
  writer.text("sha256", base::hex_encode({hash, sidecar.sha256.size()}));
  writer.text("content_type", sidecar.content_type);
  writer.text("created", time_text(sidecar.created_ms));
  writer.text("modified", time_text(sidecar.modified_ms));
  writer.number("version", info.version.value);
  writer.text("type", kTypeNames[static_cast<std::size_t>(info.type)]);
  if (info.expires_ms != kNeverExpires) writer.signed_number("expires_ms", info.expires_ms);
  if (info.codec != 0) writer.number("codec", info.codec);
  if (info.dictionary != 0) writer.number("dictionary", info.dictionary);
  if (info.encryption_key != 0) writer.number("encryption_key", info.encryption_key);
  if (!info.extension.empty()) {
    writer.text("extension_hex", base::hex_encode(info.extension));
  }
  return std::move(writer).seal();
}

Result<Sidecar> decode_sidecar(BytesView text) {
  STRATA_LET(SealedReader reader, SealedReader::open(text));
  STRATA_LET(const std::uint64_t format, reader.number("strata_sidecar"));
  if (format != kSidecarFormat) {
    return bad(fmt::format("it has format {}, this version reads {}", format, kSidecarFormat));
  }
  Sidecar sidecar;
  if (reader.has("key")) {
    STRATA_LET(sidecar.key, reader.text("key"));
  } else {
    STRATA_LET(sidecar.key, hex_member(reader, "key_hex"));
  }
  STRATA_LET(sidecar.value_file, reader.text("value_file"));
  const std::optional<FileName> file = parse_file_name(sidecar.value_file);
  if (!file || file->role != FileRole::value) {
    return bad("its value_file is no name of a value file");
  }
  STRATA_LET(sidecar.info.value_bytes,
             number_member<std::uint64_t>(reader, "size", kValueBytesMax));
  STRATA_LET(const Bytes hash, hex_member(reader, "sha256"));
  if (hash.size() != sidecar.sha256.size()) return bad("its sha256 has a wrong length");
  std::copy(hash.begin(), hash.end(), reinterpret_cast<char*>(sidecar.sha256.data()));
  STRATA_LET(sidecar.content_type, reader.text("content_type"));
  STRATA_LET(const std::string created, reader.text("created"));
  STRATA_LET(sidecar.created_ms, parse_time(created));
  STRATA_LET(const std::string modified, reader.text("modified"));
  STRATA_LET(sidecar.modified_ms, parse_time(modified));
  STRATA_LET(sidecar.info.version.value, reader.number("version"));
  STRATA_TRY(decode_attributes(reader, sidecar.info));
  STRATA_TRY(reader.finish());
  return sidecar;
}

std::string guess_content_type(BytesView value, const RecordAttributes& attributes) {
  constexpr std::size_t kLookBytes = 4096;
  constexpr std::string_view kSpace = " \t\r\n";
  if (attributes.codec != 0 || attributes.encryption_key != 0) return "application/octet-stream";
  if (attributes.type == ValueType::json) return "application/json";
  BytesView start = value.substr(0, kLookBytes);
  // The cut may have split a character: up to three bytes of it are no sign of binary data.
  for (int cut = 0; cut < 3 && start.size() < value.size() && !start.empty(); ++cut) {
    if (is_plain_text(start, true)) break;
    start.remove_suffix(1);
  }
  if (!is_plain_text(start, true)) return "application/octet-stream";
  const std::size_t first = value.find_first_not_of(kSpace);
  if (first != BytesView::npos) {
    const char last = value[value.find_last_not_of(kSpace)];
    if ((value[first] == '{' && last == '}') || (value[first] == '[' && last == ']')) {
      return "application/json";
    }
  }
  return "text/plain; charset=utf-8";
}

}  // namespace strata::backends::file
