#include "base/utf8.h"

namespace strata::base {

namespace {

/// How many bytes the UTF-8 character at the front takes; 0: none is there.
std::size_t character_bytes(BytesView bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return 0;
  }
  // Longer forms than needed, surrogates, and beyond the last character.
  const unsigned second = at(1);
  const bool wrong = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90);
  return wrong ? 0 : n;
}

}  // namespace

std::size_t utf8_prefix_bytes(BytesView bytes) noexcept {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t n = character_bytes(bytes.substr(at));
    if (n == 0) break;
    at += n;
  }
  return at;
}

}  // namespace strata::base
