#include "backends/hybridlog/record.h"

#include <cstring>

#include "base/check.h"
#include "codec/record.h"

namespace strata::backends::hybridlog {

Result<> parse_area(const RecordHead& head, BytesView area, ValueArea& to) {
  BytesView rest = area;
  if (head.is(kAttributes)) {
    STRATA_LET(codec::RecordView view, codec::parse_record(area, codec::Checksum::none, {}));
    to.info = std::move(view.info);
    rest = view.value;
  } else {
    to.info = RecordInfo{};
  }
  to.info.version = Version{head.version()};
  if (head.is(kExtent)) {
    to.extent = ExtentRef::decode(rest);
    if (!to.extent) return Error(Code::corruption, "a record's reference of an extent is damaged");
    to.value = {};
    to.info.value_bytes = to.extent->bytes;
  } else {
    to.extent.reset();
    to.value = rest;
    to.info.value_bytes = rest.size();
  }
  return {};
}

std::optional<RecordBounds> bounds_of(BytesView bytes) noexcept {
  if (bytes.size() < kRecordHeadBytes + 4) return std::nullopt;
  RecordBounds found;
  found.head.word0 = base::load_u64_le(bytes.data());
  found.head.word1 = base::load_u64_le(bytes.data() + 8);
  found.key_at = kRecordHeadBytes;
  found.key_bytes = found.head.short_key_bytes();
  if (found.head.long_key()) {
    found.key_bytes = base::load_u32_le(bytes.data() + kRecordHeadBytes);
    found.key_at += 4;
  }
  found.value_at = found.key_at + found.key_bytes;
  found.bytes = padded(found.value_at + found.head.value_bytes());
  return found;
}

Result<RecordStep> next_record(BytesView rest, const std::string& where) {
  constexpr std::uint64_t kFillerTop = std::uint64_t{kFiller} << 10;  // of a filler above `prev`
  RecordStep step;
  bool known = false;
  if (rest.size() >= 8) {
    const RecordHead head{base::load_u64_le(rest.data()), 0};
    if (head.is(kFiller)) {
      step.filler = true;
      step.bytes = head.prev().value;
      known = head.word0 >> kAddressBits == kFillerTop;
    } else if (const std::optional<RecordBounds> bounds = bounds_of(rest)) {
      step.bounds = *bounds;
      step.bytes = bounds->bytes;
      known = head.flags() < 2 * kFiller && bounds->key_bytes >= codec::kKeyspaceBytes &&
              head.long_key() == (bounds->key_bytes >= kLongKey);
    }
  }
  if (!known || step.bytes == 0 || step.bytes > rest.size() || step.bytes % kRecordAlign != 0) {
    return Error(Code::corruption, where + ": a record's length or flags cannot be");
  }
  return step;
}

void copy_key(const char* at, Bytes& to) {
  const RecordHead head = load_head(at);
  std::size_t bytes = head.short_key_bytes();
  std::size_t skip = 0;
  if (head.long_key()) {
    bytes = load_word(at + kRecordHeadBytes) & 0xffffffff;
    skip = 4;
  }
  to.resize(padded(skip + bytes));
  load_words(to.data(), at + kRecordHeadBytes, to.size());
  to.erase(0, skip);
  to.resize(bytes);
}

void write_record(char* to, const NewRecord& record, std::uint64_t version, LogAddress prev) {
  const KeyView& key = *record.key;
  const RecordHead head =
      RecordHead::make(prev, version, key.physical_bytes(), record.area_bytes(), record.flags);
  char* at = key.write_image(to + kRecordHeadBytes);
  if (!record.attributes.empty()) {
    std::memcpy(at, record.attributes.data(), record.attributes.size());
    at += record.attributes.size();
  }
  if (!record.value.empty()) std::memcpy(at, record.value.data(), record.value.size());
  at += record.value.size();
  if (char* const end = to + record.bytes(); at != end) {
    std::memset(at, 0, static_cast<std::size_t>(end - at));
  }
  store_word(to, head.word0);
  store_word(to + 8, head.word1);
}

void overwrite_record(char* at, const RecordHead& head, const NewRecord& record,
                      std::uint64_t version) {
  STRATA_DCHECK(record.area_bytes() <= kInPlaceBytesMax);
  const std::size_t value_at = kRecordHeadBytes + record.key->image_bytes();
  const std::size_t first = value_at & ~std::size_t{7};
  const RecordHead now = RecordHead::make(head.prev(), version, record.key->physical_bytes(),
                                          record.area_bytes(), record.flags);
  const std::size_t bytes = record.bytes() - first;
  alignas(8) char words[kInPlaceBytesMax + 16];
  if (bytes != 0) std::memset(words + bytes - 8, 0, 8);
  // The word that the key's last bytes share with the value's first, if they share one: the record
  // may end where its key does.
  if (value_at != first) {
    const std::uint64_t shared = load_word(at + first);
    std::memcpy(words, &shared, value_at - first);
  }
  char* to = words + (value_at - first);
  if (!record.attributes.empty()) {
    std::memcpy(to, record.attributes.data(), record.attributes.size());
    to += record.attributes.size();
  }
  if (!record.value.empty()) std::memcpy(to, record.value.data(), record.value.size());
  store_words(at + first, words, bytes);
  store_word(at, now.word0);
  store_word(at + 8, now.word1);
}

void encode_attributes(const RecordAttributes& attributes, Bytes& to) {
  to.clear();
  if (!are_default(attributes))
    codec::put_record_head(to, attributes, Version{}, codec::Checksum::none, {}, {});
}

}  // namespace strata::backends::hybridlog
