// What stands beside a record's bytes: where it lives (Keyspace, KeyRef), when it was written
// (Version), what it is (RecordAttributes), and all of that as a read reports it (RecordInfo).
//
// Format: docs/formats/record.md, for stores that have no native fields.
#pragma once

#include <compare>
#include <cstdint>

#include "strata/bytes.h"

namespace strata {

/// A numbered part of a store with key order of its own: the order of a store is
/// (keyspace, key). Number 0 and those below kFirstUserKeyspace are the store's own.
enum class Keyspace : std::uint32_t {};
inline constexpr Keyspace kSystemKeyspace{0};
inline constexpr Keyspace kFirstUserKeyspace{16};

/// The value of a store's clock when a record was written. Ordered only within one store; 0 is
/// before every write.
struct Version {
  std::uint64_t value = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// What the bytes of a record are. The numbers are part of the record format.
enum class ValueType : std::uint8_t {
  string = 0,
  list = 1,
  hash = 2,
  set = 3,
  sorted_set = 4,
  stream = 5,
  json = 6,
  chunk_manifest = 7,
  block = 8,   ///< an inner block of a collection
  system = 9,  ///< the store's own book-keeping
};

/// Names one record; borrows the key from the caller for the length of the call.
struct KeyRef {
  Keyspace space{};
  BytesView key;
  friend auto operator<=>(const KeyRef&, const KeyRef&) = default;
};

inline constexpr std::int64_t kNeverExpires = 0;

/// What a write gives beside the bytes. Only layers set codec, dictionary and encryption key.
struct RecordAttributes {
  /// Wall time in ms since 1970 from which the record is invisible; kNeverExpires: never.
  std::int64_t expires_ms = kNeverExpires;
  std::uint32_t dictionary = 0;      ///< id of the compression dictionary; 0: none
  std::uint32_t encryption_key = 0;  ///< id of the key; 0: not encrypted
  ValueType type = ValueType::string;
  std::uint8_t codec = 0;  ///< id of the compression; 0: none
  Bytes extension;         ///< for later fields; at most kExtensionBytesMax
  friend bool operator==(const RecordAttributes&, const RecordAttributes&) = default;
};
inline constexpr std::size_t kExtensionBytesMax = 4096;
/// What a write gives that gives nothing. One for all: making one takes longer than it seems.
inline const RecordAttributes kPlainAttributes;

/// What a read reports of a record that is there.
struct RecordInfo : RecordAttributes {
  Version version;                ///< of the write that made it what it is
  std::uint64_t value_bytes = 0;  ///< length of the value, known even if it was not fetched
};

inline constexpr std::size_t kKeyBytesMax = 64 * 1024;
inline constexpr std::uint64_t kValueBytesMax = 512ull * 1024 * 1024;

}  // namespace strata
