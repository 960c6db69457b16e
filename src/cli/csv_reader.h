// CsvReader: the rows of a CSV file (RFC 4180: commas, quoted fields with "" for a quote, line ends
// within quotes), each as the bytes it is and as fields.
//
// Always: memory is bounded by the longest row that is allowed; blank lines are passed over; after
// a
//         bad row the reader goes on behind the next line end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/byte_source.h"
#include "cli/ndjson_reader.h"

namespace strata::cli {

class CsvReader {
 public:
  enum class Step : unsigned char { row, bad, end };

  /// The source is borrowed and stands at `start`.
  CsvReader(ByteSource& source, std::size_t row_bytes_max, TextPlace start = {})
      : window_(source, start.offset), row_bytes_max_(row_bytes_max), line_(start.line) {}

  Result<Step> next();
  /// Without its line end. Valid until next().
  BytesView row() const noexcept { return window_.view().substr(0, row_bytes_); }
  /// "\n", "\r\n", or nothing at the end of the file. Valid until next().
  BytesView line_end() const noexcept {
    return window_.view().substr(row_bytes_, pending_ - row_bytes_);
  }
  const std::vector<Bytes>& fields() const noexcept { return fields_; }
  /// Of a bad row: what is wrong with it.
  const std::string& fault() const noexcept { return fault_; }
  /// On which line the row begins, from 1.
  std::uint64_t first_line() const noexcept { return first_line_; }
  /// Behind the row.
  TextPlace place() const noexcept { return {window_.offset() + pending_, line_}; }

 private:
  enum class Within : unsigned char { start, plain, quoted, closed };
  Result<Step> read_row();
  /// The next byte of the row, or nothing at the end.
  Result<bool> available();
  const char* step(char c);
  void end_row();
  Result<Step> give_up(std::string fault, std::size_t from);

  Window window_;
  const std::size_t row_bytes_max_;
  std::uint64_t line_;
  std::uint64_t first_line_ = 0;
  std::size_t at_ = 0;  // of the byte looked at, in the window
  Within within_ = Within::start;
  std::size_t row_bytes_ = 0;
  std::size_t pending_ = 0;
  std::vector<Bytes> fields_;
  std::string fault_;
};

}  // namespace strata::cli
