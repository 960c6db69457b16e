// Writing and parsing of record envelopes.
#include "codec/record.h"

#include <string>

#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"

namespace strata::codec {

namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kLastType = static_cast<std::uint8_t>(ValueType::system);

enum Flag : std::uint8_t {
  kHasVersion = 1 << 0,
  kHasExpiry = 1 << 1,
  kHasCodec = 1 << 2,
  kHasDictionary = 1 << 3,
  kHasEncryptionKey = 1 << 4,
  kHasExtension = 1 << 5,
  kHasChecksum = 1 << 6,
  kUnknown = 1 << 7
};

std::uint8_t flags_of(const RecordAttributes& attributes, Version version, Checksum checksum) {
  unsigned flags = 0;
  if (version.value != 0) flags |= kHasVersion;
  if (attributes.expires_ms != kNeverExpires) flags |= kHasExpiry;
  if (attributes.codec != 0) flags |= kHasCodec;
  if (attributes.dictionary != 0) flags |= kHasDictionary;
  if (attributes.encryption_key != 0) flags |= kHasEncryptionKey;
  if (!attributes.extension.empty()) flags |= kHasExtension;
  if (checksum != Checksum::none) flags |= kHasChecksum;
  return static_cast<std::uint8_t>(flags);
}

std::uint32_t checksum_of(BytesView key, BytesView head, BytesView value) {
  return base::crc32c_extend(base::crc32c_extend(base::crc32c(key), head), value);
}

Error damaged(const char* what) { return Error(Code::corruption, std::string("record: ") + what); }

Error unknown(const char* what, unsigned number) {
  return Error(Code::not_supported, std::string("record: ") + what + " " + std::to_string(number) +
                                        " is not known to this version of Strata");
}

// Reads the fields that `flags` says are there; each must hold something.
Result<> parse_fields(base::Reader& reader, std::uint8_t flags, RecordInfo& info) {
  bool zero = false;
  if ((flags & kHasVersion) != 0) {
    info.version.value = reader.varint64();
    zero |= info.version.value == 0;
  }
  if ((flags & kHasExpiry) != 0) {
    info.expires_ms = static_cast<std::int64_t>(reader.u64_le());
    zero |= info.expires_ms == kNeverExpires;
  }
  if ((flags & kHasCodec) != 0) {
    info.codec = reader.u8();
    zero |= info.codec == 0;
  }
  if ((flags & kHasDictionary) != 0) {
    info.dictionary = reader.varint32();
    zero |= info.dictionary == 0;
  }
  if ((flags & kHasEncryptionKey) != 0) {
    info.encryption_key = reader.varint32();
    zero |= info.encryption_key == 0;
  }
  if ((flags & kHasExtension) != 0) {
    const BytesView extension = reader.sized();
    if (extension.size() > kExtensionBytesMax) return damaged("its extension is too long");
    info.extension.assign(extension);
    zero |= extension.empty();
  }
  if (!reader.ok()) return damaged("it ends within its fields, or one of them is no number");
  if (zero) return damaged("a field that should have been left out is there");
  return {};
}

}  // namespace

void put_record_head(Bytes& to, const RecordAttributes& attributes, Version version,
                     Checksum checksum, BytesView key, BytesView value) {
  STRATA_DCHECK(valid_attributes(attributes).has_value());
  const std::size_t start = to.size();
  const auto type = static_cast<unsigned>(attributes.type);
  const std::uint8_t flags = flags_of(attributes, version, checksum);
  base::put_u8(to, static_cast<std::uint8_t>(kFormat << 4 | type));
  base::put_u8(to, flags);
  if ((flags & kHasVersion) != 0) base::put_varint(to, version.value);
  if ((flags & kHasExpiry) != 0) {
    base::put_u64_le(to, static_cast<std::uint64_t>(attributes.expires_ms));
  }
  if ((flags & kHasCodec) != 0) base::put_u8(to, attributes.codec);
  if ((flags & kHasDictionary) != 0) base::put_varint(to, attributes.dictionary);
  if ((flags & kHasEncryptionKey) != 0) base::put_varint(to, attributes.encryption_key);
  if ((flags & kHasExtension) != 0) base::put_sized(to, attributes.extension);
  if (checksum != Checksum::none) {
    base::put_u32_le(to, checksum_of(key, BytesView(to).substr(start), value));
  }
}

Result<RecordView> parse_record(BytesView record, Checksum checksum, BytesView key) {
  base::Reader reader(record);
  const std::uint8_t head = reader.u8();
  const std::uint8_t flags = reader.u8();
  if (!reader.ok()) return damaged("it is shorter than two bytes");
  const unsigned format = head >> 4;
  const unsigned type = head & 0x0f;
  if (format == 0) return damaged("it has no format number");
  if (format > kFormat) return unknown("format", format);
  if (type > kLastType) return unknown("type", type);
  if ((flags & kUnknown) != 0) return unknown("flag", kUnknown);

  RecordView view;
  view.info.type = static_cast<ValueType>(type);
  STRATA_TRY(parse_fields(reader, flags, view.info));
  if ((flags & kHasChecksum) != 0) {
    const BytesView covered = record.substr(0, record.size() - reader.remaining());
    const std::uint32_t stored = reader.u32_le();
    if (!reader.ok()) return damaged("it ends within its checksum");
    if (stored != checksum_of(key, covered, reader.rest())) {
      return damaged("its checksum differs");
    }
  } else if (checksum != Checksum::none) {
    return damaged("it has no checksum");
  }
  view.value = reader.rest();
  view.info.value_bytes = view.value.size();
  return view;
}

Result<> valid_attributes(const RecordAttributes& attributes) {
  if (static_cast<std::uint8_t>(attributes.type) > kLastType) {
    return Error(
        Code::invalid_argument,
        "value type " + std::to_string(static_cast<unsigned>(attributes.type)) + " does not exist");
  }
  if (attributes.extension.size() > kExtensionBytesMax) {
    return Error(Code::invalid_argument,
                 "an extension of " + std::to_string(attributes.extension.size()) +
                     " bytes: at most " + std::to_string(kExtensionBytesMax) + " are allowed");
  }
  return {};
}

}  // namespace strata::codec
