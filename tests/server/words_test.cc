// Patterns and numbers as Redis takes them.
#include "server/words.h"

#include <gtest/gtest.h>

#include <cmath>

namespace strata::server {
namespace {

TEST(Words, MatchesGlobPatterns) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("h?llo", "hello"));
  EXPECT_TRUE(matches("h[ae]llo", "hallo"));
  EXPECT_FALSE(matches("h[^e]llo", "hello"));
  EXPECT_TRUE(matches("h[a-c]llo", "hbllo"));
  EXPECT_TRUE(matches("h[c-a]llo", "hbllo"));
  EXPECT_TRUE(matches("a\\*b", "a*b"));
  EXPECT_FALSE(matches("a\\*b", "axb"));
  EXPECT_TRUE(matches("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(matches("a", "ab"));
  EXPECT_TRUE(matches("HELLO", "hello", true));
  EXPECT_TRUE(matches(BytesView("a\0b", 3), BytesView("a\0b", 3)));
}

TEST(Words, StaysQuickOnPatternsOfManyStars) {
  const std::string text(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(matches(pattern + "b", text));
}

TEST(Words, ToleratesPatternsThatEndTooSoon) {
  EXPECT_FALSE(matches("[", "x"));
  EXPECT_TRUE(matches("[a", "a"));
  EXPECT_TRUE(matches("\\", "\\"));
  EXPECT_TRUE(matches("[a-", "a"));
}

TEST(Words, FindsTheLiteralBeginning) {
  EXPECT_EQ(literal_prefix("user:*"), "user:");
  EXPECT_EQ(literal_prefix("*"), "");
  EXPECT_EQ(literal_prefix("a\\*"), "a");
  EXPECT_EQ(literal_prefix("plain"), "plain");
}

TEST(Words, TakesIntegersAsRedisDoes) {
  EXPECT_EQ(integer_of("0"), 0);
  EXPECT_EQ(integer_of("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(integer_of("9223372036854775807"), INT64_MAX);
  for (const std::string_view wrong :
       {"", "-", "+1", " 1", "1 ", "01", "-0", "1.0", "9223372036854775808", "0x10", "--1"}) {
    EXPECT_FALSE(integer_of(wrong)) << wrong;
  }
}

TEST(Words, TakesRealNumbersAsRedisDoes) {
  EXPECT_EQ(real_of("1.5"), 1.5L);
  EXPECT_EQ(real_of("-1e3"), -1000.0L);
  EXPECT_TRUE(std::isinf(static_cast<double>(real_of("inf").value_or(0))));
  for (const std::string_view wrong : {"", " 1", "1 ", "nan", "abc", "1.5x"}) {
    EXPECT_FALSE(real_of(wrong)) << wrong;
  }
}

TEST(Words, QuotesBytesForPeople) {
  EXPECT_EQ(quoted("a\"b\\\n\x01\xff"), "\"a\\\"b\\\\\\n\\x01\\xff\"");
}

}  // namespace
}  // namespace strata::server
