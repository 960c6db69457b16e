// Records as bytes: what a value area says, and how a record is written.
//
// Format:  docs/formats/hybridlog.md
// Always:  bytes from a device are checked against their own length before they are believed.
#pragma once

#include <optional>

#include "backends/hybridlog/extent_store.h"
#include "backends/hybridlog/key_view.h"
#include "backends/hybridlog/record_layout.h"
#include "strata/engine.h"

namespace strata::backends::hybridlog {

/// Above this a value lies in an extent of its own.
inline constexpr std::size_t kInlineValueBytesMax = 64 * 1024;

/// A value area taken apart; views borrow from it.
struct ValueArea {
  RecordInfo info;
  BytesView value;  ///< empty where it lies in an extent
  std::optional<ExtentRef> extent;
};

/// Of a record that is no tombstone.
Result<> parse_area(const RecordHead& head, BytesView area, ValueArea& to);

/// Bounds of one record within `bytes`, which begin with it and may end before it does.
struct RecordBounds {
  RecordHead head;
  std::size_t key_at = 0;
  std::size_t key_bytes = 0;
  std::size_t value_at = 0;
  std::size_t bytes = 0;  ///< padded
};
/// Nothing: more bytes are needed to tell (at least kRecordHeadBytes + 4).
std::optional<RecordBounds> bounds_of(BytesView bytes) noexcept;

/// One step through the bytes of a frame: a record or a filler.
struct RecordStep {
  RecordBounds bounds;  ///< of a record
  std::size_t bytes = 0;
  bool filler = false;
};
/// `rest` begins with it and ends where the frame's records do. What cannot be is corruption that
/// names `where`.
Result<RecordStep> next_record(BytesView rest, const std::string& where);

/// What is to be written of one record.
struct NewRecord {
  const KeyView* key = nullptr;
  BytesView attributes;  ///< a record head (docs/formats/record.md), or empty
  BytesView value;       ///< or the encoded reference of an extent
  std::uint8_t flags = 0;

  std::size_t area_bytes() const noexcept { return attributes.size() + value.size(); }
  std::size_t bytes() const noexcept { return record_bytes(key->physical_bytes(), area_bytes()); }
};

/// The key of a record that may be changing under its writer: `at` is in memory.
void copy_key(const char* at, Bytes& to);

/// Writes all of it to memory that nobody reads yet.
void write_record(char* to, const NewRecord& record, std::uint64_t version, LogAddress prev);
/// Overwrites one in place, under its bucket's lock; `head` is what it was, and bytes() the same.
void overwrite_record(char* at, const RecordHead& head, const NewRecord& record,
                      std::uint64_t version);

/// Whether nothing of them stands in a record.
inline bool are_default(const RecordAttributes& attributes) noexcept {
  return &attributes == &kPlainAttributes ||
         (attributes.expires_ms == kNeverExpires && attributes.dictionary == 0 &&
          attributes.encryption_key == 0 && attributes.type == ValueType::string &&
          attributes.codec == 0 && attributes.extension.empty());
}
/// The attributes as bytes before the value; empty where all of them are their defaults.
void encode_attributes(const RecordAttributes& attributes, Bytes& to);

}  // namespace strata::backends::hybridlog
