// A known answer, and that every byte counts.
#include "base/hash.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "base/inline_hash.h"
#include "base/random.h"

namespace strata::base {
namespace {

TEST(Hash64, GivesTheKnownAnswerOfXxh3) { EXPECT_EQ(hash64(""), 0x2d06800538d394c2U); }

TEST(Hash64, DependsOnEveryByteAndTheSeed) {
  Bytes bytes = Random(1).bytes(300);
  std::unordered_set<std::uint64_t> seen{hash64(bytes), hash64(bytes, 1)};
  for (char& byte : bytes) {
    byte = static_cast<char>(byte + 1);
    seen.insert(hash64(bytes));
  }
  EXPECT_EQ(seen.size(), 302U);
}

TEST(Hash64, IsTheSameInline) {
  const Bytes bytes = Random(2).bytes(64);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{0x123456789abcdef}}) {
      const BytesView part = BytesView(bytes).substr(0, size);
      EXPECT_EQ(inline_hash64(part.data(), part.size(), seed), hash64(part, seed)) << size;
    }
  }
}

TEST(BytesHash, FindsAViewWithoutACopy) {
  const std::unordered_set<Bytes, BytesHash, std::equal_to<>> set{"a", "b"};
  EXPECT_TRUE(set.contains(BytesView("a")));
  EXPECT_FALSE(set.contains(BytesView("c")));
}

}  // namespace
}  // namespace strata::base
