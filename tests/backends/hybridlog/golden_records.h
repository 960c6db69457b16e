// The records of the golden files, as today's code writes them.
#pragma once

#include <cstring>
#include <memory>

#include "backends/hybridlog/golden.h"
#include "backends/hybridlog/record.h"
#include "base/coding.h"

namespace strata::backends::hybridlog {

/// Memory as the log has it: of whole words.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t bytes)
      : words_(std::make_unique<std::uint64_t[]>(bytes / 8)), bytes_(bytes) {}
  char* data() noexcept { return reinterpret_cast<char*>(words_.get()); }
  BytesView view() const noexcept { return {reinterpret_cast<const char*>(words_.get()), bytes_}; }

 private:
  std::unique_ptr<std::uint64_t[]> words_;
  std::size_t bytes_;
};

/// One of each kind, and a filler; 560 bytes, beginning at address 0x4000000 of the log.
inline Bytes golden_records() {
  Bytes all;
  const auto add = [&all](BytesView key, BytesView attributes, BytesView value, unsigned flags,
                          std::uint64_t version, LogAddress prev) {
    const KeyView lookup({Keyspace{16}, key}, 1);
    const NewRecord record{&lookup, attributes, value, static_cast<std::uint8_t>(flags)};
    AlignedBytes to(record.bytes());
    write_record(to.data(), record, version, prev);
    all += to.view();
  };
  RecordAttributes expiring;
  expiring.expires_ms = 1'704'067'200'000;
  Bytes head;
  encode_attributes(expiring, head);
  expiring.type = ValueType::hash;
  Bytes hash_head;
  encode_attributes(expiring, hash_head);
  Bytes extent;
  ExtentRef{5, 100'000, 0xdeadbeef}.encode(extent);

  add("hello", {}, "world", 0, 300, {});
  add("hash", hash_head, "brief", kAttributes, 301, {0x2000000});
  add(Bytes(251, 'k'), {}, {}, 0, 302, {});
  base::put_u64_le(all, 32 | std::uint64_t{kFiller} << 58);
  all.append(24, '\0');
  add("large", {}, extent, kExtent, 303, {});
  add("hello", {}, {}, kTombstone, 304, {0x4000000});
  add("left", {}, "undone", kInvalid, 305, {});
  add("large, brief", head, extent, kAttributes | kExtent, 306, {});
  return all;
}

}  // namespace strata::backends::hybridlog
