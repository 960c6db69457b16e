// Where a key's record lies and what its files are called.
//
// Format: docs/formats/file.md. Always: a name is made of [A-Za-z0-9._%-] only, does not start
//         with '.', and has at most kNameBytesMax bytes, so no key can lead out of its folder;
//         two keys never share one.
// Threads: functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "strata/bytes.h"

namespace strata::backends::file {

inline constexpr std::size_t kNameBytesMax = 200;
inline constexpr std::size_t kNamePrefixBytesMax = 120;  ///< of a key that goes by its hash

/// A folder of records: the first three digits of SHA-256(key). Its top is the first two.
using Leaf = std::uint16_t;
inline constexpr unsigned kLeaves = 4096;
inline constexpr unsigned kTops = 256;
inline constexpr unsigned kLeavesPerTop = kLeaves / kTops;
constexpr unsigned top_of(Leaf leaf) noexcept { return leaf / kLeavesPerTop; }

struct Place {
  Leaf leaf = 0;
  std::string name;
};
Place place_of(BytesView key);
/// What the names of all keys with this prefix start with; of a long one, only its beginning.
std::string name_prefix(BytesView key_prefix);

/// "a9" and "a9/4".
std::string top_name(unsigned top);
std::string leaf_path(Leaf leaf);
/// The numbers of folders called so; nothing: not a name of ours.
std::optional<unsigned> parse_top_name(std::string_view name);
std::optional<unsigned> parse_leaf_digit(std::string_view name);
/// "16"; without leading zeros.
std::optional<std::uint32_t> parse_keyspace_name(std::string_view name);

inline constexpr std::string_view kMetaSuffix = "@meta.json";
inline constexpr std::string_view kNextSuffix = "@next.json";
inline constexpr std::string_view kTempSuffix = "@temp.json";
std::string value_file_name(std::string_view name, std::uint64_t version);

enum class FileRole : std::uint8_t { value, meta, next, temp };
struct FileName {
  std::string_view name;  ///< of the record; borrowed
  FileRole role = FileRole::value;
  std::uint64_t version = 0;  ///< of a value
};
/// Nothing: not a file of ours.
std::optional<FileName> parse_file_name(std::string_view file);
bool is_record_name(std::string_view name);
/// The key behind a name, for a message; of a key that goes by its hash, its beginning.
std::string describe_key(std::string_view name);

/// Digits of a number and nothing else: no sign, no leading zero.
std::optional<std::uint64_t> parse_decimal(std::string_view digits);

}  // namespace strata::backends::file
