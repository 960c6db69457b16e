// Hexadecimal digits.
#include "base/hex.h"

#include "base/quote.h"

namespace strata::base {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string hex_encode(BytesView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  digits.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  return digits;
}

Result<Bytes> hex_decode(BytesView digits) {
  if (digits.size() % 2 != 0) {
    return Error(Code::invalid_argument, quote(digits) + " has an odd number of digits");
  }
  Bytes bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = digit_value(digits[i]);
    const int low = digit_value(digits[i + 1]);
    if (high < 0 || low < 0) {
      return Error(Code::invalid_argument, quote(digits) + " is not hexadecimal at character " +
                                               std::to_string(high < 0 ? i : i + 1));
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace strata::base
