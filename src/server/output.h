// OutputBuffer: the bytes on their way to one client.
//
// Always: bytes leave in the order in which they were appended; a large value is passed on without
//         a copy; rollback() takes back exactly what came after its mark. A mark is used before
//         the next consume().
// Threads: one at a time.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <span>

#include "strata/bytes.h"

namespace strata::server {

class OutputBuffer {
 public:
  struct Mark {
    std::size_t pieces;
    std::size_t last_bytes;
    std::size_t bytes;
  };

  void append(BytesView bytes);
  /// Takes the value over; small ones are copied and `value` may be used again.
  void append(Value& value);

  std::size_t size() const noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_ == 0; }

  Mark mark() const noexcept;
  void rollback(const Mark& mark);

  /// Fills `vectors` with what is to be sent next; how many were filled.
  std::size_t gather(std::span<iovec> vectors) const noexcept;
  /// The first `bytes` bytes were sent.
  void consume(std::size_t bytes) noexcept;
  void clear() noexcept;

  /// Values from here on are handed over instead of copied.
  static constexpr std::size_t kShareBytes = 16 * 1024;

 private:
  struct Piece {
    Bytes bytes;
    Value value;  // used when it is not empty
    BytesView view() const noexcept { return value.empty() ? BytesView(bytes) : value.view(); }
  };
  static constexpr std::size_t kPieceBytes = 16 * 1024;

  std::deque<Piece> pieces_;
  std::size_t sent_ = 0;   // of the first piece
  std::size_t bytes_ = 0;  // not yet sent
};

}  // namespace strata::server
