// Known answers, and the CPU's instruction against the tables.
#include "base/crc32c.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace strata::base {
namespace {

TEST(Crc32c, GivesTheKnownAnswers) {
  // RFC 3720, appendix B.4.
  Bytes rising, falling;
  for (char c = 0; c < 32; ++c) rising.push_back(c);
  for (char c = 31; c >= 0; --c) falling.push_back(c);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(Bytes(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(Bytes(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(falling), 0x113fdb5cU);
  EXPECT_EQ(internal::crc32c_extend_portable(0, "123456789"), 0xe3069283U);
}

TEST(Crc32c, IsTheSameWithAndWithoutTheInstruction) {
  Random random(1);
  const Bytes bytes = random.bytes(16 * 1024);
  for (std::size_t n = 0; n < 8 * 1024; n += n < 1200 ? 1 : 61) {
    const std::size_t start = random.uniform(64);
    const BytesView part = BytesView(bytes).substr(start, n);
    const auto crc = static_cast<std::uint32_t>(random.next());
    ASSERT_EQ(crc32c_extend(crc, part), internal::crc32c_extend_portable(crc, part)) << n;
  }
}

TEST(Crc32c, ExtendsAcrossAnyCut) {
  Random random(2);
  const Bytes bytes = random.bytes(10'000);
  const std::uint32_t whole = crc32c(bytes);
  for (int i = 0; i < 200; ++i) {
    const std::size_t cut = random.uniform(bytes.size() + 1);
    const std::uint32_t first = crc32c(BytesView(bytes).substr(0, cut));
    EXPECT_EQ(crc32c_extend(first, BytesView(bytes).substr(cut)), whole) << cut;
  }
}

TEST(Crc32c, ChangesWithAnyBit) {
  Bytes bytes = Random(3).bytes(512);
  const std::uint32_t whole = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_NE(crc32c(bytes), whole) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
}

}  // namespace
}  // namespace strata::base
