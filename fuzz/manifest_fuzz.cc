// Any bytes as a manifest, as they are and with a right checksum: refused, or what was read is
// written again as the same bytes.
#include <cstddef>
#include <cstdint>

#include "backends/hybridlog/manifest.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"

namespace {

using namespace strata;

void check(BytesView bytes) {
  const Result<backends::hybridlog::Manifest> read = backends::hybridlog::decode(bytes, "it");
  if (read) {
    STRATA_CHECK(backends::hybridlog::encode(*read) == bytes);
    return;
  }
  const Code code = read.error().code();
  STRATA_CHECK(code == Code::corruption || code == Code::not_supported);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  if (size >= 4) {
    bytes.resize(size - 4);
    base::put_u32_le(bytes, base::crc32c(bytes));
    check(bytes);
  }
  return 0;
}
