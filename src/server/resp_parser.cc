// The errors are Redis's own, to the letter, and so are their conditions: of a line's end only the
// carriage return is looked at, and the two bytes behind an argument are skipped unseen.
#include "server/resp_parser.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "server/inline_words.h"
#include "server/words.h"

namespace strata::server {
namespace {

constexpr std::size_t kReadBytesMin = 4096;  // less room than this is not worth a read
constexpr std::size_t kBigStepBytes = 64 * 1024;
constexpr std::size_t kArgumentsKept = 1024;
constexpr std::size_t kSmallestCopyBytes = 256;

char* allocate(std::size_t bytes) {
  char* const memory = static_cast<char*>(std::malloc(bytes));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

Buffer BufferPool::take() {
  if (free_.empty()) return Buffer(allocate(kBufferBytes));
  Buffer buffer = std::move(free_.back());
  free_.pop_back();
  return buffer;
}

void BufferPool::give(Buffer buffer) {
  if (free_.size() < kKept) free_.push_back(std::move(buffer));
}

RespParser::~RespParser() { drop_buffer(); }

void RespParser::drop_buffer() {
  if (buffer_ && capacity_ == BufferPool::kBufferBytes) pool_.give(std::move(buffer_));
  buffer_.reset();
  capacity_ = begin_ = at_ = end_ = 0;
}

std::size_t RespParser::waiting_bytes() const noexcept {
  std::size_t bytes = end_ - begin_;
  for (const Big& big : big_) bytes += big.size;
  return bytes;
}

// What the share must hold when the query buffer has this capacity.
std::size_t RespParser::held(std::size_t query_capacity) const noexcept {
  std::size_t bytes = query_capacity;
  for (const Big& big : big_) bytes += big.capacity;
  if (arguments_.capacity() > kArgumentsKept) bytes += arguments_.capacity() * sizeof(BytesView);
  return bytes;
}

std::span<char> RespParser::room() {
  if (in_big_ && big_.back().size < static_cast<std::size_t>(length_)) {
    Big& big = big_.back();
    if (big.size == big.capacity && !grow_big(big.size + 1)) return {};
    return {big.bytes.get() + big.size, big.capacity - big.size};
  }
  if (!buffer_) {
    buffer_ = pool_.take();
    capacity_ = BufferPool::kBufferBytes;
  } else if (capacity_ < BufferPool::kBufferBytes || capacity_ - end_ < kReadBytesMin) {
    const std::size_t used = end_ - begin_;
    const std::size_t wanted = used + kReadBytesMin > capacity_ ? capacity_ * 2 : capacity_;
    if (!move_to(std::max(wanted, BufferPool::kBufferBytes))) return {};
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void RespParser::filled(std::size_t bytes) {
  if (in_big_ && big_.back().size < static_cast<std::size_t>(length_)) {
    big_.back().size += bytes;
  } else {
    end_ += bytes;
  }
}

// The unfinished bytes go to the beginning of a buffer of `capacity`.
bool RespParser::move_to(std::size_t capacity) {
  if (capacity > BufferPool::kBufferBytes && !memory_.resize(held(capacity))) {
    refuse("ERR too many unfinished requests, and this is the largest");
    return false;
  }
  const std::size_t used = end_ - begin_;
  if (capacity == capacity_) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, used);
    rebase(buffer_.get() + begin_, used, buffer_.get());
    at_ -= begin_;
    begin_ = 0;
    end_ = used;
    return true;
  }
  Buffer bigger = capacity == BufferPool::kBufferBytes ? pool_.take() : Buffer(allocate(capacity));
  std::memcpy(bigger.get(), buffer_.get() + begin_, used);
  rebase(buffer_.get() + begin_, used, bigger.get());
  const std::size_t parsed = at_ - begin_;
  drop_buffer();
  buffer_ = std::move(bigger);
  capacity_ = capacity;
  at_ = parsed;
  end_ = used;
  return true;
}

// The arguments that were views of [from, from + bytes) are views of what was moved to `to`.
void RespParser::rebase(const char* from, std::size_t bytes, char* to) {
  const auto first = reinterpret_cast<std::uintptr_t>(from);
  for (BytesView& argument : arguments_) {
    const auto place = reinterpret_cast<std::uintptr_t>(argument.data());
    if (place >= first && place - first < bytes) {
      argument = BytesView(to + (place - first), argument.size());
    }
  }
}

void RespParser::settle() {
  if (complete_) start_request();
  if (begin_ == end_) {
    drop_buffer();
  } else if (capacity_ >= BufferPool::kBufferBytes &&
             end_ - begin_ <= BufferPool::kBufferBytes / 4) {
    // Many clients with a few bytes each must not hold a whole buffer each.
    std::size_t capacity = kSmallestCopyBytes;
    while (capacity < end_ - begin_) capacity *= 2;
    (void)move_to(capacity);
  }
  if (arguments_.empty() && arguments_.capacity() > kArgumentsKept) {
    std::vector<BytesView>().swap(arguments_);
  }
  // Refused only when it grows past what is granted without a question; then it was asked for.
  (void)memory_.resize(held(capacity_));
}

void RespParser::abandon() {
  drop_buffer();
  std::vector<Big>().swap(big_);
  std::vector<BytesView>().swap(arguments_);
  in_big_ = false;
  (void)memory_.resize(0);
}

void RespParser::start_request() {
  complete_ = false;
  inline_ = false;
  begin_ = at_;
  arguments_.clear();
  big_.clear();
  in_big_ = false;
  length_ = -1;
  if (begin_ == end_) begin_ = at_ = end_ = 0;
}

RespParser::Progress RespParser::refuse(std::string error) {
  error_ = std::move(error);
  return Progress::refused;
}

bool RespParser::push(BytesView argument) {
  if (arguments_.size() == arguments_.capacity() && arguments_.size() >= kArgumentsKept) {
    const std::size_t bytes = held(capacity_) + arguments_.capacity() * 2 * sizeof(BytesView);
    if (!memory_.resize(bytes)) {
      refuse("ERR too many unfinished requests, and this is the largest");
      return false;
    }
    arguments_.reserve(arguments_.capacity() * 2);
  }
  arguments_.push_back(argument);
  return true;
}

RespParser::Outcome RespParser::next(const Limits& limits) {
  if (!error_.empty()) return Outcome::refused;
  if (complete_) start_request();
  Progress progress = Progress::done;
  while (progress == Progress::done) {
    if (missing_ == 0) {
      if (at_ == end_) return Outcome::incomplete;
      if (buffer_.get()[at_] == '*') {
        progress = parse_count(limits);
        if (progress == Progress::done && missing_ == 0) begin_ = at_;  // "*0": nothing is asked
        continue;
      }
      progress = parse_inline();
      if (progress == Progress::done && complete_) return Outcome::request;
      continue;
    }
    if (length_ < 0) progress = parse_length(limits);
    if (progress == Progress::done) progress = in_big_ ? parse_big() : parse_argument();
    if (progress == Progress::done && missing_ == 0) {
      complete_ = true;
      return Outcome::request;
    }
  }
  return progress == Progress::incomplete ? Outcome::incomplete : Outcome::refused;
}

// The text between the first byte of a line and its carriage return; at_ moves behind the line.
RespParser::Progress RespParser::find_line(std::string_view too_long, BytesView& line) {
  const char* const start = buffer_.get() + at_;
  const std::size_t bytes = end_ - at_;
  const char* const stop = static_cast<const char*>(std::memchr(start, '\r', bytes));
  if (stop == nullptr) {
    if (bytes > kInlineBytesMax) return refuse("ERR Protocol error: " + std::string(too_long));
    return Progress::incomplete;
  }
  const auto length = static_cast<std::size_t>(stop - start);
  if (length + 2 > bytes) return Progress::incomplete;
  line = BytesView(start, length);
  return Progress::done;
}

RespParser::Progress RespParser::parse_count(const Limits& limits) {
  BytesView line;
  const Progress found = find_line("too big mbulk count string", line);
  if (found != Progress::done) return found;
  const std::optional<std::int64_t> count = integer_of(line.substr(1));
  if (!count || *count > kArgumentsMax) {
    return refuse("ERR Protocol error: invalid multibulk length");
  }
  if (limits.stranger && *count > kStrangerArgumentsMax) {
    return refuse("ERR Protocol error: unauthenticated multibulk length");
  }
  at_ += line.size() + 2;
  missing_ = std::max<std::int64_t>(*count, 0);
  return Progress::done;
}

RespParser::Progress RespParser::parse_length(const Limits& limits) {
  if (at_ == end_) return Progress::incomplete;
  BytesView line;
  const Progress found = find_line("too big bulk count string", line);
  if (found != Progress::done) return found;
  // A line that begins with its end is one whose first byte is the carriage return.
  const char first = buffer_.get()[at_];
  if (first != '$') {
    return refuse(std::string("ERR Protocol error: expected '$', got '") + first + "'");
  }
  const std::optional<std::int64_t> length = integer_of(line.substr(1));
  if (!length || *length < 0 || static_cast<std::uint64_t>(*length) > limits.bulk_bytes_max) {
    return refuse("ERR Protocol error: invalid bulk length");
  }
  if (limits.stranger && *length > kStrangerBulkBytesMax) {
    return refuse("ERR Protocol error: unauthenticated bulk length");
  }
  at_ += line.size() + 2;
  length_ = *length;
  return Progress::done;
}

RespParser::Progress RespParser::parse_argument() {
  const auto length = static_cast<std::size_t>(length_);
  if (end_ - at_ < length + 2) {
    if (length < kBigBytes) return Progress::incomplete;
    big_.emplace_back();
    in_big_ = true;
    return parse_big();
  }
  if (!push(BytesView(buffer_.get() + at_, length))) return Progress::refused;
  at_ += length + 2;
  length_ = -1;
  --missing_;
  return Progress::done;
}

RespParser::Progress RespParser::parse_big() {
  Big& big = big_.back();
  const auto length = static_cast<std::size_t>(length_);
  const std::size_t here = std::min(length - big.size, end_ - at_);
  if (here > 0) {
    if (big.size + here > big.capacity && !grow_big(big.size + here)) return Progress::refused;
    std::memcpy(big.bytes.get() + big.size, buffer_.get() + at_, here);
    big.size += here;
    at_ += here;
  }
  if (big.size < length) {
    end_ = at_ -= here;  // what went into the big buffer is not kept twice
    return Progress::incomplete;
  }
  if (end_ - at_ < 2) return Progress::incomplete;
  if (!push(BytesView(big.bytes.get(), length))) return Progress::refused;
  at_ += 2;
  in_big_ = false;
  length_ = -1;
  --missing_;
  return Progress::done;
}

bool RespParser::grow_big(std::size_t step_to) {
  Big& big = big_.back();
  const std::size_t step = std::max({step_to, big.capacity + big.capacity / 2, kBigStepBytes});
  const std::size_t capacity = std::min(static_cast<std::size_t>(length_), step);
  if (!memory_.resize(held(capacity_) + capacity - big.capacity)) {
    refuse("ERR too many unfinished requests, and this is the largest");
    return false;
  }
  char* const bytes = static_cast<char*>(std::realloc(big.bytes.get(), capacity));
  if (bytes == nullptr) throw std::bad_alloc();
  (void)big.bytes.release();
  big.bytes.reset(bytes);
  big.capacity = capacity;
  return true;
}

RespParser::Progress RespParser::parse_inline() {
  const char* const start = buffer_.get() + at_;
  const std::size_t bytes = end_ - at_;
  const char* const stop = static_cast<const char*>(std::memchr(start, '\n', bytes));
  if (stop == nullptr) {
    if (bytes > kInlineBytesMax) return refuse("ERR Protocol error: too big inline request");
    return Progress::incomplete;
  }
  BytesView line(start, static_cast<std::size_t>(stop - start));
  at_ += line.size() + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!split_words(line, words_)) {
    return refuse("ERR Protocol error: unbalanced quotes in request");
  }
  if (words_.empty()) {
    begin_ = at_;
    return Progress::done;
  }
  for (const Bytes& word : words_) {
    if (!push(word)) return Progress::refused;
  }
  inline_ = true;
  complete_ = true;
  return Progress::done;
}

}  // namespace strata::server
