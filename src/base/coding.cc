// Varints, which are too long to be inlined everywhere.
#include "base/coding.h"

#include <limits>

namespace strata::base {

char* store_varint(char* to, std::uint64_t v) noexcept {
  while (v >= 0x80) {
    *to++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *to++ = static_cast<char>(v);
  return to;
}

void put_varint(Bytes& to, std::uint64_t v) {
  char bytes[kVarint64BytesMax];
  to.append(bytes, static_cast<std::size_t>(store_varint(bytes, v) - bytes));
}

void put_sized(Bytes& to, BytesView bytes) {
  put_varint(to, bytes.size());
  to.append(bytes);
}

std::uint64_t Reader::varint64() noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kVarint64BytesMax && i < rest_.size(); ++i) {
    const std::uint64_t byte = static_cast<unsigned char>(rest_[i]);
    if (i == kVarint64BytesMax - 1 && byte > 1) break;  // beyond 64 bits
    value |= (byte & 0x7f) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && i > 0) break;  // a longer form of a shorter number
    rest_.remove_prefix(i + 1);
    return value;
  }
  fail();
  return 0;
}

std::uint32_t Reader::varint32() noexcept {
  const std::uint64_t value = varint64();
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    fail();
    return 0;
  }
  return static_cast<std::uint32_t>(value);
}

BytesView Reader::bytes(std::size_t n) noexcept {
  if (n > rest_.size()) {
    fail();
    return {};
  }
  const BytesView result = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return result;
}

BytesView Reader::sized() noexcept {
  const std::uint64_t n = varint64();
  if (n > rest_.size()) {
    fail();
    return {};
  }
  return bytes(static_cast<std::size_t>(n));
}

}  // namespace strata::base
