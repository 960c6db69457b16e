// The record envelope: type, expiry, version and the like as bytes before a value, for stores that
// have no fields of their own.
//
// Format:  docs/formats/record.md
// Always:  one record has one form: parse, then put, gives the same bytes. What cannot be
//          understood whole is refused, never in part.
// Threads: any; nothing here has state.
#pragma once

#include <cstdint>

#include "strata/bytes.h"
#include "strata/record.h"
#include "strata/result.h"

namespace strata::codec {

/// Whether records carry a checksum of their own: not where the store below keeps one.
enum class Checksum : std::uint8_t { none, crc32c };

/// A record taken apart. `value` borrows from the bytes it was parsed from.
struct RecordView {
  RecordInfo info;
  BytesView value;
};

/// Appends to `to` all that stands before the value; the caller puts `value` behind it.
/// With Checksum::crc32c it goes once over `key` and `value`, which otherwise are not looked at.
/// The attributes must be valid (valid_attributes).
void put_record_head(Bytes& to, const RecordAttributes& attributes, Version version,
                     Checksum checksum, BytesView key, BytesView value);

/// Takes a record apart. A checksum that is there is checked; with Checksum::crc32c it must be
/// there. Code::corruption or Code::not_supported as the format says.
Result<RecordView> parse_record(BytesView record, Checksum checksum, BytesView key);

/// Whether a record can hold them: a known type and an extension of at most kExtensionBytesMax.
Result<> valid_attributes(const RecordAttributes& attributes);

}  // namespace strata::codec
