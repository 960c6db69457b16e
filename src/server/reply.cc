// The RESP encodings: https://redis.io/docs/reference/protocol-spec (RESP2) and the RESP3
// specification. What both have in common is written by Reply, the rest by the two encoders.
#include "server/reply.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace strata::server {
namespace {

void put_header(OutputBuffer& out, char kind, std::int64_t number) {
  char text[24];
  text[0] = kind;
  char* end = std::to_chars(text + 1, text + sizeof(text) - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append({text, static_cast<std::size_t>(end - text)});
}

void put_bulk(OutputBuffer& out, BytesView bytes) {
  put_header(out, '$', static_cast<std::int64_t>(bytes.size()));
  out.append(bytes);
  out.append("\r\n");
}

class Resp2 final : public Encoder {
 public:
  void null(OutputBuffer& out) const override { out.append("$-1\r\n"); }
  void null_array(OutputBuffer& out) const override { out.append("*-1\r\n"); }
  void boolean(OutputBuffer& out, bool value) const override {
    out.append(value ? ":1\r\n" : ":0\r\n");
  }
  void real(OutputBuffer& out, std::string_view text) const override { put_bulk(out, text); }
  void map(OutputBuffer& out, std::size_t pairs) const override {
    put_header(out, '*', static_cast<std::int64_t>(pairs * 2));
  }
  void set(OutputBuffer& out, std::size_t elements) const override {
    put_header(out, '*', static_cast<std::int64_t>(elements));
  }
  void push(OutputBuffer& out, std::size_t elements) const override {
    put_header(out, '*', static_cast<std::int64_t>(elements));
  }
  void verbatim(OutputBuffer& out, std::string_view, BytesView text) const override {
    put_bulk(out, text);
  }
};

class Resp3 final : public Encoder {
 public:
  void null(OutputBuffer& out) const override { out.append("_\r\n"); }
  void null_array(OutputBuffer& out) const override { out.append("_\r\n"); }
  void boolean(OutputBuffer& out, bool value) const override {
    out.append(value ? "#t\r\n" : "#f\r\n");
  }
  void real(OutputBuffer& out, std::string_view text) const override {
    out.append(",");
    out.append(text);
    out.append("\r\n");
  }
  void map(OutputBuffer& out, std::size_t pairs) const override {
    put_header(out, '%', static_cast<std::int64_t>(pairs));
  }
  void set(OutputBuffer& out, std::size_t elements) const override {
    put_header(out, '~', static_cast<std::int64_t>(elements));
  }
  void push(OutputBuffer& out, std::size_t elements) const override {
    put_header(out, '>', static_cast<std::int64_t>(elements));
  }
  void verbatim(OutputBuffer& out, std::string_view format, BytesView text) const override {
    put_header(out, '=', static_cast<std::int64_t>(text.size() + format.size() + 1));
    out.append(format);
    out.append(":");
    out.append(text);
    out.append("\r\n");
  }
};

}  // namespace

const Encoder& resp2() {
  static const Resp2 encoder;
  return encoder;
}

const Encoder& resp3() {
  static const Resp3 encoder;
  return encoder;
}

void Reply::header(char kind, std::int64_t number) { put_header(*out_, kind, number); }

void Reply::simple(std::string_view text) {
  raw("+");
  raw(text);
  raw("\r\n");
}

void Reply::error(std::string_view text) {
  error_ = true;
  error_text_ = text;
  for (char& letter : error_text_) {
    if (letter == '\r' || letter == '\n') letter = ' ';
  }
  raw("-");
  raw(error_text_);
  raw("\r\n");
}

void Reply::integer(std::int64_t value) { header(':', value); }

void Reply::bulk(BytesView bytes) { put_bulk(*out_, bytes); }

void Reply::bulk(Value& value) {
  header('$', static_cast<std::int64_t>(value.size()));
  out_->append(value);
  raw("\r\n");
}

void Reply::real(double value) {
  if (std::isinf(value)) {
    encoder_->real(*out_, value > 0 ? "inf" : "-inf");
  } else if (std::isnan(value)) {
    encoder_->real(*out_, "nan");
  } else {
    encoder_->real(*out_, fmt::format("{:.17g}", value));
  }
}

void Reply::array(std::size_t elements) { header('*', static_cast<std::int64_t>(elements)); }

void Reply::begin() {
  mark_ = out_->mark();
  error_ = false;
}

void Reply::restart() {
  out_->rollback(mark_);
  error_ = false;
}

}  // namespace strata::server
