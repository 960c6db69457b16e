#include "contract/patch.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace strata::contract {
namespace {

constexpr std::uint64_t kMax = 100;

Bytes patched(BytesView before, std::uint64_t offset, std::uint64_t erase, BytesView bytes) {
  const auto after = apply_patch(before, {offset, erase, bytes}, kMax);
  if (!after) return "error: " + after.error().to_string();
  const auto length = patched_bytes(before.size(), {offset, erase, bytes}, kMax);
  EXPECT_TRUE(length.has_value());
  EXPECT_EQ(length.value_or(0), after->size());
  return *after;
}

TEST(Patch, ReplacesErasesAndInserts) {
  EXPECT_EQ(patched("hello world", 6, 5, "there"), "hello there");
  EXPECT_EQ(patched("hello world", 5, 6, ""), "hello");
  EXPECT_EQ(patched("held", 2, 0, "llo wor"), "hello world");
  EXPECT_EQ(patched("hello", 0, 5, ""), "");
  EXPECT_EQ(patched("hello", 1, 2, "ipp"), "hipplo");
}

TEST(Patch, AppendsAtTheEndWhereverItIs) {
  EXPECT_EQ(patched("ab", WriteBatch::kAtEnd, 0, "c"), "abc");
  EXPECT_EQ(patched("", WriteBatch::kAtEnd, 0, "c"), "c");
  EXPECT_EQ(patched("ab", WriteBatch::kAtEnd, 7, "c"), "abc");
}

TEST(Patch, FillsAGapWithZeros) {
  EXPECT_EQ(patched("ab", 4, 0, "c"), Bytes("ab\0\0c", 5));
  EXPECT_EQ(patched("", 2, 9, ""), Bytes("\0\0", 2));
}

TEST(Patch, ErasesOnlyToTheEndOfTheValue) {
  EXPECT_EQ(patched("hello", 3, ~std::uint64_t{0}, "p"), "help");
  EXPECT_EQ(patched("hello", 5, 1, "!"), "hello!");
}

TEST(Patch, RefusesWhatWouldBeTooLong) {
  EXPECT_EQ(patched(Bytes(99, 'x'), WriteBatch::kAtEnd, 0, "y").size(), 100u);
  const Bytes full(100, 'x');
  EXPECT_EQ(patched(full, 0, 1, "y").size(), 100u);
  for (const Patch& patch :
       {Patch{WriteBatch::kAtEnd, 0, "y"}, Patch{100, 0, "y"}, Patch{101, 0, ""},
        Patch{~std::uint64_t{0} - 1, 2, "yy"}, Patch{0, 0, "y"}}) {
    const auto after = apply_patch(full, patch, kMax);
    ASSERT_FALSE(after.has_value()) << patch.offset;
    EXPECT_EQ(after.error().code(), Code::invalid_argument);
    EXPECT_NE(after.error().message().find("at most 100 bytes"), Bytes::npos);
  }
}

}  // namespace
}  // namespace strata::contract
