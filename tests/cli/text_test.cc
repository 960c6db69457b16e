#include "cli/text.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace strata::cli {
namespace {

TEST(Text, KnowsUtf8) {
  for (const char* good : {"", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    EXPECT_TRUE(base::is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(base::is_utf8(bad)) << bad;
  }
}

TEST(Text, ShowsBytesInJsonWithoutLoss) {
  std::string text;
  append_json_bytes(text, "key", "a\"\\\n\xC3\xA4");
  EXPECT_EQ(text, "\"key\":\"a\\\"\\\\\\u000a\xC3\xA4\"");
  text.clear();
  append_json_bytes(text, "key", "\xff\x01");
  EXPECT_EQ(text, "\"key_hex\":\"ff01\"");
}

TEST(Text, TakesHexArguments) {
  EXPECT_EQ(bytes_of("00ff", Form::hex).value(), BytesView("\0\xff", 2));
  EXPECT_FALSE(bytes_of("0", Form::hex));
  EXPECT_FALSE(bytes_of("zz", Form::hex));
  EXPECT_EQ(bytes_of("zz", Form::plain).value(), "zz");
}

}  // namespace
}  // namespace strata::cli
