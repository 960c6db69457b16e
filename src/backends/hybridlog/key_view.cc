#include "backends/hybridlog/key_view.h"

namespace strata::backends::hybridlog {

bool KeyView::is_image(const char* image, const char* key, std::size_t bytes,
                       std::uint32_t space) noexcept {
  if (bytes > kKeyBytesMax) return false;
  alignas(8) char word[8];
  const auto is_word = [&](std::size_t at, std::size_t size) {
    std::uint64_t own;
    std::memcpy(&own, word, 8);
    const std::size_t other_bits = 8 * (8 - size);
    return ((load_word(image + at) ^ own) << other_bits) == 0;
  };
  std::size_t at = codec::kKeyspaceBytes;  // of the key's bytes in the image
  if (codec::kKeyspaceBytes + bytes >= kLongKey) {
    base::store_u32_le(word, static_cast<std::uint32_t>(codec::kKeyspaceBytes + bytes));
    at += kLengthBytes;
  }
  base::store_u32_be(word + at - codec::kKeyspaceBytes, space);
  std::size_t done = std::min(bytes, 8 - at);
  if (done != 0) std::memcpy(word + at, key, done);
  if (!is_word(0, at + done)) return false;
  for (at = 8; done < bytes; at += 8) {
    const std::size_t size = std::min<std::size_t>(bytes - done, 8);
    std::memcpy(word, key + done, size);
    if (!is_word(at, size)) return false;
    done += size;
  }
  return true;
}

}  // namespace strata::backends::hybridlog
