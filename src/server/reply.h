// Reply: what a handler says, in types. The encoder below it knows the protocol; handlers do not.
//
// Always: a handler answers with exactly one reply (an array counts as one with its elements).
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/output.h"
#include "strata/bytes.h"

namespace strata::server {

/// Turns typed replies into bytes of one protocol version. Stateless; one object serves all.
class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void null(OutputBuffer& out) const = 0;
  virtual void null_array(OutputBuffer& out) const = 0;
  virtual void boolean(OutputBuffer& out, bool value) const = 0;
  virtual void real(OutputBuffer& out, std::string_view text) const = 0;
  virtual void map(OutputBuffer& out, std::size_t pairs) const = 0;
  virtual void set(OutputBuffer& out, std::size_t elements) const = 0;
  virtual void push(OutputBuffer& out, std::size_t elements) const = 0;
  virtual void verbatim(OutputBuffer& out, std::string_view format, BytesView text) const = 0;
};
const Encoder& resp2();
const Encoder& resp3();

class Reply {
 public:
  Reply(OutputBuffer& out, const Encoder& encoder) : out_(&out), encoder_(&encoder) {}

  void ok() { raw("+OK\r\n"); }
  void simple(std::string_view text);
  /// `text` starts with its error word: "ERR no such key". Line breaks become blanks.
  void error(std::string_view text);
  void integer(std::int64_t value);
  void bulk(BytesView bytes);
  /// Hands the value over (no copy if it is large).
  void bulk(Value& value);
  void null() { encoder_->null(*out_); }
  void null_array() { encoder_->null_array(*out_); }
  void boolean(bool value) { encoder_->boolean(*out_, value); }
  /// A number as RESP3 double or RESP2 string.
  void real(double value);
  void array(std::size_t elements);
  void map(std::size_t pairs) { encoder_->map(*out_, pairs); }
  void set(std::size_t elements) { encoder_->set(*out_, elements); }
  void push(std::size_t elements) { encoder_->push(*out_, elements); }
  /// Text for people; `format` has three letters.
  void verbatim(std::string_view format, BytesView text) {
    encoder_->verbatim(*out_, format, text);
  }
  void empty_array() { array(0); }

  /// Whether the reply (since the last restart) is an error, for statistics.
  bool is_error() const noexcept { return error_; }
  /// Its text.
  std::string_view error_text() const noexcept { return error_text_; }

  // For the executor.
  void use(const Encoder& encoder) noexcept { encoder_ = &encoder; }
  void begin();
  /// Takes back everything since begin().
  void restart();

 private:
  void raw(std::string_view bytes) { out_->append(bytes); }
  void header(char kind, std::int64_t number);

  OutputBuffer* out_;
  const Encoder* encoder_;
  OutputBuffer::Mark mark_{};
  bool error_ = false;
  Bytes error_text_;
};

}  // namespace strata::server
