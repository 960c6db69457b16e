// SHA-256 of bytes, by OpenSSL (which uses the CPU's own instructions where it has them).
//
// Threads: any.
#pragma once

#include <array>
#include <cstdint>

#include "strata/bytes.h"

namespace strata::codec {

inline constexpr std::size_t kSha256Bytes = 32;
using Sha256 = std::array<unsigned char, kSha256Bytes>;

Sha256 sha256(BytesView bytes);

}  // namespace strata::codec
