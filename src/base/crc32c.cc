// CRC-32C two ways: eight tables (portable), and the SSE4.2 instruction.
//
// The instruction takes three cycles but can start every cycle, so long inputs are cut into three
// lanes that run side by side; a lane's checksum is then moved over the bytes behind it by a table
// ("what k zero bytes do to a checksum"), which is linear in the checksum's bits.
#include "base/crc32c.h"

#include <array>
#include <cstddef>

#include "base/coding.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace strata::base {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // bit-reversed

using Table = std::array<std::uint32_t, 256>;

constexpr std::array<Table, 8> make_tables() {
  std::array<Table, 8> tables{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t crc = n;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][n] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t n = 0; n < 256; ++n) {
      const std::uint32_t crc = tables[k - 1][n];
      tables[k][n] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kTables = make_tables();

constexpr std::uint32_t step(std::uint32_t crc, unsigned char byte) {
  return (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xff];
}

std::uint32_t portable(std::uint32_t crc, const char* at, std::size_t bytes) noexcept {
  for (; bytes >= 8; at += 8, bytes -= 8) {
    const std::uint64_t word = load_u64_le(at) ^ crc;
    crc = kTables[7][word & 0xff] ^ kTables[6][(word >> 8) & 0xff] ^
          kTables[5][(word >> 16) & 0xff] ^ kTables[4][(word >> 24) & 0xff] ^
          kTables[3][(word >> 32) & 0xff] ^ kTables[2][(word >> 40) & 0xff] ^
          kTables[1][(word >> 48) & 0xff] ^ kTables[0][word >> 56];
  }
  for (; bytes > 0; ++at, --bytes) crc = step(crc, static_cast<unsigned char>(*at));
  return crc;
}

#if defined(__x86_64__)

/// For a lane of `kLaneBytes` zero bytes: the checksum that each byte of a checksum turns into.
constexpr std::array<Table, 4> make_shift(std::size_t lane_bytes) {
  std::array<std::uint32_t, 32> bits{};  // what each single bit turns into
  for (std::size_t i = 0; i < 32; ++i) {
    std::uint32_t crc = std::uint32_t{1} << i;
    for (std::size_t n = 0; n < lane_bytes; ++n) crc = step(crc, 0);
    bits[i] = crc;
  }
  std::array<Table, 4> shift{};
  for (std::size_t byte = 0; byte < 4; ++byte) {
    for (std::size_t n = 0; n < 256; ++n) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if (((n >> bit) & 1) != 0) shift[byte][n] ^= bits[byte * 8 + bit];
      }
    }
  }
  return shift;
}

constexpr std::size_t kLongLaneBytes = 1024;
constexpr std::size_t kShortLaneBytes = 128;
constexpr std::array<Table, 4> kLongShift = make_shift(kLongLaneBytes);
constexpr std::array<Table, 4> kShortShift = make_shift(kShortLaneBytes);

std::uint64_t shifted(const std::array<Table, 4>& shift, std::uint64_t crc) noexcept {
  return shift[0][crc & 0xff] ^ shift[1][(crc >> 8) & 0xff] ^ shift[2][(crc >> 16) & 0xff] ^
         shift[3][(crc >> 24) & 0xff];
}

/// Takes as many whole groups of three lanes as there are off the front of `at`.
template <std::size_t kLaneBytes>
[[gnu::target("sse4.2")]] std::uint64_t three_lanes(std::uint64_t crc, const char*& at,
                                                    std::size_t& bytes,
                                                    const std::array<Table, 4>& shift) noexcept {
  while (bytes >= 3 * kLaneBytes) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const char* end = at + kLaneBytes; at < end; at += 8) {
      crc = _mm_crc32_u64(crc, load_u64_le(at));
      second = _mm_crc32_u64(second, load_u64_le(at + kLaneBytes));
      third = _mm_crc32_u64(third, load_u64_le(at + 2 * kLaneBytes));
    }
    crc = shifted(shift, crc) ^ second;
    crc = shifted(shift, crc) ^ third;
    at += 2 * kLaneBytes;
    bytes -= 3 * kLaneBytes;
  }
  return crc;
}

[[gnu::target("sse4.2")]] std::uint32_t hardware(std::uint32_t crc32, const char* at,
                                                 std::size_t bytes) noexcept {
  std::uint64_t crc = crc32;
  crc = three_lanes<kLongLaneBytes>(crc, at, bytes, kLongShift);
  crc = three_lanes<kShortLaneBytes>(crc, at, bytes, kShortShift);
  for (; bytes >= 8; at += 8, bytes -= 8) crc = _mm_crc32_u64(crc, load_u64_le(at));
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; bytes > 0; ++at, --bytes) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
  return narrow;
}

// Still false while other files' constants are made: then the portable way answers, alike.
const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;

#endif

}  // namespace

std::uint32_t crc32c_extend(std::uint32_t crc, BytesView bytes) noexcept {
#if defined(__x86_64__)
  if (kHasInstruction) return ~hardware(~crc, bytes.data(), bytes.size());
#endif
  return ~portable(~crc, bytes.data(), bytes.size());
}

std::uint32_t internal::crc32c_extend_portable(std::uint32_t crc, BytesView bytes) noexcept {
  return ~portable(~crc, bytes.data(), bytes.size());
}

}  // namespace strata::base
