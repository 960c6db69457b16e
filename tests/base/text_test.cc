// Bytes and numbers as people read and write them: quote, hex, parse, nearest.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/hex.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "base/quote.h"
#include "base/random.h"

namespace strata::base {
namespace {

TEST(Quote, ShowsHostileBytesHarmlessly) {
  EXPECT_EQ(quote("plain"), "'plain'");
  EXPECT_EQ(quote(""), "''");
  EXPECT_EQ(quote("it's\\"), "'it\\'s\\\\'");
  EXPECT_EQ(quote(BytesView("\0\x1b[2J\r\n\t\x7f\xff", 10)), "'\\x00\\x1b[2J\\r\\n\\t\\x7f\\xff'");
}

TEST(Quote, IsBoundedAndSaysHowMuchThereWas) {
  EXPECT_EQ(quote(Bytes(64, 'x')), "'" + Bytes(64, 'x') + "'");
  EXPECT_EQ(quote(Bytes(1'000'000, 'x')), "'" + Bytes(64, 'x') + "'... (1000000 bytes)");
  EXPECT_EQ(quote("abc", 2), "'ab'... (3 bytes)");
}

TEST(Quote, GivesOnlyPrintableAsciiForAnyBytes) {
  const std::string text = quote(Random(1).bytes(10'000), 10'000);
  for (const char c : text) ASSERT_TRUE(c >= 0x20 && c < 0x7f);
}

TEST(Hex, ComesBack) {
  EXPECT_EQ(hex_encode(BytesView("\x00\xff\x1a", 3)), "00ff1a");
  const Bytes bytes = Random(2).bytes(100);
  EXPECT_EQ(hex_decode(hex_encode(bytes)).value(), bytes);
  EXPECT_EQ(hex_decode("00Ff").value(), Bytes("\x00\xff", 2));
}

TEST(Hex, RefusesWhatIsNoHexAndSaysWhere) {
  EXPECT_EQ(hex_decode("abc").error().message(), "'abc' has an odd number of digits");
  EXPECT_EQ(hex_decode("ab0g").error().message(), "'ab0g' is not hexadecimal at character 3");
  EXPECT_EQ(hex_decode("ab0g").error().code(), Code::invalid_argument);
}

TEST(ParseInteger, TakesAllOfTheRangeAndNoMore) {
  EXPECT_EQ(parse_int64("-9223372036854775808").value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_int64("9223372036854775807").value(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_uint64("18446744073709551615").value(), ~std::uint64_t{0});
  EXPECT_EQ(parse_int64("9223372036854775808").error().message(),
            "'9223372036854775808' is out of range");
  EXPECT_FALSE(parse_uint64("18446744073709551616"));
}

TEST(ParseInteger, RefusesAnythingAround) {
  for (const BytesView text : {"", " 1", "1 ", "+1", "1x", "0x1", "1.0", "--1", "-", "1e3"}) {
    EXPECT_FALSE(parse_int64(text)) << text;
    EXPECT_FALSE(parse_uint64(text)) << text;
  }
  EXPECT_EQ(parse_uint64("-1").error().message(), "'-1' is not a whole number of zero or more");
  EXPECT_FALSE(parse_int64(BytesView("1\0", 2)));
}

TEST(ParseSize, KnowsPowersOf1000AndOf1024) {
  EXPECT_EQ(parse_size("1024").value(), 1024U);
  EXPECT_EQ(parse_size("0").value(), 0U);
  EXPECT_EQ(parse_size("7B").value(), 7U);
  EXPECT_EQ(parse_size("512MB").value(), 512'000'000U);
  EXPECT_EQ(parse_size("4GiB").value(), std::uint64_t{4} << 30);
  EXPECT_EQ(parse_size("4gib").value(), std::uint64_t{4} << 30);
  EXPECT_EQ(parse_size("2TiB").value(), std::uint64_t{2} << 40);
}

TEST(ParseSize, RefusesWhatIsNoSizeWithAnExample) {
  for (const BytesView text : {"", "GiB", "4 GiB", "-4GiB", "4Gi", "4.5GiB", "4GiBs", "1k"}) {
    EXPECT_EQ(parse_size(text).error().message(),
              quote(text) + " is not a size such as 1024, 512MB or 4GiB");
  }
  EXPECT_EQ(parse_size("8388608TiB").error().message(), "'8388608TiB' is out of range");
  EXPECT_EQ(parse_size("99999999999999999999999").error().message(),
            "'99999999999999999999999' is out of range");
}

TEST(ParseDuration, NeedsAUnitUnlessItIsZero) {
  EXPECT_EQ(parse_duration_ms("250ms").value(), 250);
  EXPECT_EQ(parse_duration_ms("1s").value(), 1'000);
  EXPECT_EQ(parse_duration_ms("15m").value(), 900'000);
  EXPECT_EQ(parse_duration_ms("24h").value(), 86'400'000);
  EXPECT_EQ(parse_duration_ms("7d").value(), 604'800'000);
  EXPECT_EQ(parse_duration_ms("0").value(), 0);
  EXPECT_EQ(parse_duration_ms("10").error().message(),
            "'10' is not a time such as 250ms, 1s or 24h");
  EXPECT_FALSE(parse_duration_ms("-1s"));
  EXPECT_FALSE(parse_duration_ms("1 s"));
}

TEST(Format, IsReadBackAsTheSameNumber) {
  EXPECT_EQ(format_size(std::uint64_t{4} << 30), "4GiB");
  EXPECT_EQ(format_size(512'000'000), "512MB");
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1025), "1025");
  EXPECT_EQ(format_duration_ms(86'400'000), "1d");
  EXPECT_EQ(format_duration_ms(90'000), "90s");
  EXPECT_EQ(format_duration_ms(0), "0ms");
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t n = (random.next() >> 1) >> random.uniform(63) << random.uniform(8);
    if (n >> 63 != 0) continue;
    EXPECT_EQ(parse_size(format_size(n)).value(), n);
    const auto ms = static_cast<std::int64_t>(n);
    EXPECT_EQ(parse_duration_ms(format_duration_ms(ms)).value(), ms);
  }
}

TEST(Human, RoundsToWhatAPersonReads) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1023), "1023 B");
  EXPECT_EQ(human_size(1536), "1.5 KiB");
  EXPECT_EQ(human_size((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_size(std::uint64_t{4} << 30), "4.0 GiB");
  EXPECT_EQ(human_size(~std::uint64_t{0}), "16.0 EiB");
  EXPECT_EQ(human_duration_ms(250), "250 ms");
  EXPECT_EQ(human_duration_ms(1'540), "1.5 s");
  EXPECT_EQ(human_duration_ms(59'960), "1m 00s");
  EXPECT_EQ(human_duration_ms(125'000), "2m 05s");
  EXPECT_EQ(human_duration_ms(12'000'000), "3h 20m");
  EXPECT_EQ(human_duration_ms(446'400'000), "5d 04h");
}

constexpr std::array<std::string_view, 4> kKnown{"port", "bind", "memory", "durability"};

TEST(Nearest, FindsTheNameThatWasMeant) {
  EXPECT_EQ(nearest("prot", kKnown), "port");
  EXPECT_EQ(nearest("PORT", kKnown), "port");
  EXPECT_EQ(nearest("memry", kKnown), "memory");
  EXPECT_EQ(nearest("durabilty", kKnown), "durability");
  EXPECT_EQ(did_you_mean("bnd", kKnown), " (did you mean 'bind'?)");
}

TEST(Nearest, SaysNothingWhenNoneIsClose) {
  EXPECT_EQ(nearest("threads", kKnown), std::nullopt);
  EXPECT_EQ(nearest("", kKnown), std::nullopt);
  EXPECT_EQ(nearest(Bytes(1'000'000, 'p'), kKnown), std::nullopt);
  EXPECT_EQ(did_you_mean("threads", kKnown), "");
}

}  // namespace
}  // namespace strata::base
