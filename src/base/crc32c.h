// CRC-32C (Castagnoli), the checksum of every format of ours.
//
// Polynomial 0x1EDC6F41 reflected, initial and final value all ones: "123456789" gives 0xE3069283.
// The CPU's own instruction is used where there is one; the result is the same without.
#pragma once

#include <cstdint>

#include "strata/bytes.h"

namespace strata::base {

/// The checksum of bytes whose first part has the checksum `crc` and whose second part is `bytes`.
std::uint32_t crc32c_extend(std::uint32_t crc, BytesView bytes) noexcept;

inline std::uint32_t crc32c(BytesView bytes) noexcept { return crc32c_extend(0, bytes); }

namespace internal {
/// The way without the CPU's instruction; for its test.
std::uint32_t crc32c_extend_portable(std::uint32_t crc, BytesView bytes) noexcept;
}  // namespace internal

}  // namespace strata::base
