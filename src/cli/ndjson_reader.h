// NdjsonReader: the lines of a file, each as the bytes it is; json_key(): the key that one has.
//
// Always: memory is bounded by the longest line that is allowed; lines of nothing but white space
//         are passed over; a line is never changed.
#pragma once

#include <cstdint>
#include <string>

#include "cli/byte_source.h"

namespace strata::cli {

/// Where a reader is: behind `offset` bytes and `line` lines.
struct TextPlace {
  std::uint64_t offset = 0;
  std::uint64_t line = 0;
};

class NdjsonReader {
 public:
  enum class Step : unsigned char { line, too_long, end };

  /// The source is borrowed and stands at `start`.
  NdjsonReader(ByteSource& source, std::size_t line_bytes_max, TextPlace start = {})
      : window_(source, start.offset), line_bytes_max_(line_bytes_max), line_(start.line) {}

  Result<Step> next();
  /// Without its line end. Valid until next().
  BytesView line() const noexcept { return text_; }
  /// Behind the line that next() gave.
  TextPlace place() const noexcept { return {window_.offset() + pending_, line_}; }

 private:
  Result<Step> read_line();
  Result<Step> skip_line();
  Window window_;
  const std::size_t line_bytes_max_;
  std::uint64_t line_;
  BytesView text_;
  std::size_t pending_ = 0;  // to be taken before the next line
};

/// The bytes of the text, or the number as it is written, that the JSON object `line` has under
/// `field`; an empty `field`: nothing, but `line` must be one JSON value. invalid_argument says
/// what is wrong.
Result<Bytes> json_key(BytesView line, const std::string& field);

}  // namespace strata::cli
