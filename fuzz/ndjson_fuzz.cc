// Any bytes as JSON lines, in pieces of any size: every line is what stands in the text, in order,
// and the same whatever the pieces are.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "cli/ndjson_reader.h"

namespace {

using namespace strata;
using cli::NdjsonReader;

std::string read_all(BytesView text, std::size_t piece) {
  cli::MemorySource source(text, piece);
  NdjsonReader reader(source, 64);
  std::string all;
  std::uint64_t offset = 0;
  while (true) {
    const auto step = reader.next();
    STRATA_CHECK(step.has_value());
    if (*step == NdjsonReader::Step::end) return all;
    const cli::TextPlace place = reader.place();
    STRATA_CHECK(place.offset > offset && place.offset <= text.size());
    offset = place.offset;
    if (*step == NdjsonReader::Step::too_long) {
      all += "\x01";
    } else {
      const BytesView line = reader.line();
      STRATA_CHECK(line.size() <= 64 && line.find('\n') == BytesView::npos);
      static_cast<void>(cli::json_key(line, "id"));
      static_cast<void>(cli::json_key(line, ""));
      all.append(line);
    }
    all += '\n';
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView text(reinterpret_cast<const char*>(data) + 1, size - 1);
  STRATA_CHECK(read_all(text, 1 + data[0] % 16U) == read_all(text, SIZE_MAX));
  return 0;
}
