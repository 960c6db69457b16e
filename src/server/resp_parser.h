// RespParser: requests out of the bytes of one client, as they arrive.
//
//   0        begin_           at_               end_        capacity_
//   +--------+----------------+-----------------+-----------+
//   | done   | this request   | not yet parsed  | room()    |     the query buffer
//   +--------+----------------+-----------------+-----------+
//
// Arguments are views into the query buffer; an argument of kBigBytes and more gets a buffer of
// its own, into which the rest of it is read directly.
//
// Always:  memory grows by what has arrived, never by what was announced; a client that has nothing
//          unfinished holds no buffer after settle(); any cut of the same bytes into reads gives
//          the same requests and the same errors.
// Owns:    the buffers. Borrows: the pool and the share, which must outlive it.
// Threads: one at a time.
#pragma once

#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "server/request_memory.h"
#include "strata/bytes.h"

namespace strata::server {

struct FreeBytes {
  void operator()(char* bytes) const noexcept { std::free(bytes); }
};
using Buffer = std::unique_ptr<char, FreeBytes>;

/// Query buffers of the ordinary size, used again by the connections of one thread.
class BufferPool {
 public:
  static constexpr std::size_t kBufferBytes = 16 * 1024;
  Buffer take();
  void give(Buffer buffer);

 private:
  static constexpr std::size_t kKept = 64;
  std::vector<Buffer> free_;
};

class RespParser {
 public:
  static constexpr std::size_t kBigBytes = 32 * 1024;
  static constexpr std::size_t kInlineBytesMax = 64 * 1024;
  static constexpr std::int64_t kArgumentsMax = 1024 * 1024;
  static constexpr std::int64_t kStrangerArgumentsMax = 10;     ///< before AUTH
  static constexpr std::int64_t kStrangerBulkBytesMax = 16384;  ///< before AUTH

  struct Limits {
    std::uint64_t bulk_bytes_max = 512ull * 1024 * 1024;
    bool stranger = false;  ///< has yet to AUTH
  };
  enum class Outcome : std::uint8_t {
    request,     ///< arguments() has one
    incomplete,  ///< more bytes are needed
    refused      ///< error() says why; nothing more can be parsed
  };

  RespParser(BufferPool& pool, RequestMemory::Share& memory) : pool_(pool), memory_(memory) {}
  ~RespParser();
  RespParser(const RespParser&) = delete;
  RespParser& operator=(const RespParser&) = delete;

  /// Where the next bytes are to be written; empty: refused (error()). Moves what is unfinished,
  /// so no request may be in use.
  std::span<char> room();
  /// So many of them were.
  void filled(std::size_t bytes);

  /// The next request. The one before ends here.
  Outcome next(const Limits& limits);
  /// At least one; valid until next(), room() or settle().
  std::span<const BytesView> arguments() const noexcept { return arguments_; }
  /// Whether the request came as a line of words.
  bool is_inline() const noexcept { return inline_; }
  /// The reply to a refused request, without its leading minus.
  std::string_view error() const noexcept { return error_; }

  /// After the requests of a read: gives back what is not needed to go on. No request may be in
  /// use.
  void settle();
  /// Gives everything back: nothing more will be parsed. No request may be in use.
  void abandon();
  /// Bytes that wait to become a request.
  std::size_t waiting_bytes() const noexcept;

 private:
  struct Big {
    Buffer bytes;
    std::size_t size = 0;
    std::size_t capacity = 0;
  };
  enum class Progress : std::uint8_t { done, incomplete, refused };

  void start_request();
  Progress parse_count(const Limits& limits);
  Progress parse_length(const Limits& limits);
  Progress parse_argument();
  Progress parse_big();
  Progress parse_inline();
  Progress refuse(std::string error);
  Progress find_line(std::string_view too_long, BytesView& line);
  bool push(BytesView argument);
  bool grow_big(std::size_t step_to);
  bool move_to(std::size_t capacity);
  void rebase(const char* from, std::size_t bytes, char* to);
  std::size_t held(std::size_t query_capacity) const noexcept;
  void drop_buffer();

  BufferPool& pool_;
  RequestMemory::Share& memory_;
  Buffer buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t at_ = 0;
  std::size_t end_ = 0;

  std::vector<BytesView> arguments_;
  std::vector<Bytes> words_;  // of an inline request
  std::vector<Big> big_;
  std::int64_t missing_ = 0;  // arguments still to come
  std::int64_t length_ = -1;  // of the argument being read; -1: not known yet
  bool in_big_ = false;       // it has a buffer of its own: the last of big_
  bool complete_ = false;
  bool inline_ = false;
  std::string error_;
};

}  // namespace strata::server
