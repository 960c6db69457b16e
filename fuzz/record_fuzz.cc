// Any bytes as a record: parsed or refused, and what was parsed is written again as the same bytes.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "codec/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata;
  const BytesView record(reinterpret_cast<const char*>(data), size);
  const Result<codec::RecordView> parsed =
      codec::parse_record(record, codec::Checksum::none, "key");
  if (!parsed) {
    const Code code = parsed.error().code();
    STRATA_CHECK(code == Code::corruption || code == Code::not_supported);
    return 0;
  }
  // Bit 6 of the flags says whether there is a checksum.
  const auto checksum = (data[1] & 0x40) != 0 ? codec::Checksum::crc32c : codec::Checksum::none;
  Bytes again;
  codec::put_record_head(again, parsed->info, parsed->info.version, checksum, "key", parsed->value);
  again.append(parsed->value);
  STRATA_CHECK(again == record);
  return 0;
}
