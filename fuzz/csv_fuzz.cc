// Any bytes as CSV, in pieces of any size: rows are parts of the text, in order, the same whatever
// the pieces are, and a row read alone gives the same fields.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "cli/csv_reader.h"

namespace {

using namespace strata;
using cli::CsvReader;

constexpr std::size_t kRowBytesMax = 96;

std::string fields_of(const CsvReader& reader) {
  std::string all;
  for (const Bytes& field : reader.fields()) {
    all += std::to_string(field.size()) + ":" + field + ",";
  }
  return all;
}

void check_alone(const std::string& row, const std::string& fields) {
  cli::MemorySource source(row);
  CsvReader reader(source, kRowBytesMax + 1);
  STRATA_CHECK(reader.next().value() == CsvReader::Step::row);
  STRATA_CHECK(fields_of(reader) == fields);
}

std::string read_all(BytesView text, std::size_t piece) {
  cli::MemorySource source(text, piece);
  CsvReader reader(source, kRowBytesMax);
  std::string all;
  while (true) {
    const auto step = reader.next();
    STRATA_CHECK(step.has_value());
    if (*step == CsvReader::Step::end) return all;
    STRATA_CHECK(reader.place().offset <= text.size());
    all += std::to_string(reader.first_line());
    if (*step == CsvReader::Step::bad) {
      all += "!" + reader.fault() + "\n";
      continue;
    }
    const std::string row = Bytes(reader.row()) + Bytes(reader.line_end());
    const std::string fields = fields_of(reader);
    STRATA_CHECK(text.find(row) != BytesView::npos);
    check_alone(row, fields);
    all += "|" + fields + "\n";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView text(reinterpret_cast<const char*>(data) + 1, size - 1);
  STRATA_CHECK(read_all(text, 1 + data[0] % 16U) == read_all(text, SIZE_MAX));
  return 0;
}
