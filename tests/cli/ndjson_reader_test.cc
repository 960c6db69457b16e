#include "cli/ndjson_reader.h"

#include <gtest/gtest.h>

namespace strata::cli {
namespace {

std::vector<std::string> lines_of(BytesView text, std::size_t piece, std::size_t longest = 1000) {
  MemorySource source(text, piece);
  NdjsonReader reader(source, longest);
  std::vector<std::string> lines;
  while (true) {
    const auto step = reader.next().value();
    if (step == NdjsonReader::Step::end) return lines;
    const std::string number = std::to_string(reader.place().line) + ":";
    lines.push_back(number + (step == NdjsonReader::Step::too_long ? std::string("<too long>")
                                                                   : std::string(reader.line())));
  }
}

TEST(NdjsonReader, GivesLinesAsTheyAreHoweverTheyCome) {
  const std::string text = "{\"a\":1}\n\n  \t\r\n{ \"a\" : 2 }\r\n{\"a\":3}";
  const std::vector<std::string> expected = {"1:{\"a\":1}", "4:{ \"a\" : 2 }\r", "5:{\"a\":3}"};
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U})
    EXPECT_EQ(lines_of(text, piece), expected);
  EXPECT_TRUE(lines_of("", 1).empty());
  EXPECT_TRUE(lines_of("\n\n", 1).empty());
}

TEST(NdjsonReader, PassesOverALineThatIsTooLong) {
  const std::string text = "short\n" + std::string(50, 'x') + "\n1234567890\nend";
  const std::vector<std::string> expected = {"1:short", "2:<too long>", "3:1234567890", "4:end"};
  for (const std::size_t piece : {1U, 5U, 1000U}) EXPECT_EQ(lines_of(text, piece, 10), expected);
  EXPECT_EQ(lines_of(std::string(50, 'x'), 3, 10), std::vector<std::string>{"1:<too long>"});
}

TEST(NdjsonReader, GoesOnFromAPlace) {
  const std::string text = "one\ntwo\nthree\n";
  MemorySource source(text);
  NdjsonReader reader(source, 100);
  ASSERT_EQ(reader.next().value(), NdjsonReader::Step::line);
  const TextPlace place = reader.place();
  EXPECT_EQ(place.offset, 4U);
  MemorySource rest(BytesView(text).substr(place.offset));
  NdjsonReader again(rest, 100, place);
  ASSERT_EQ(again.next().value(), NdjsonReader::Step::line);
  EXPECT_EQ(again.line(), "two");
  EXPECT_EQ(again.place().line, 2U);
  EXPECT_EQ(again.place().offset, 8U);
}

TEST(JsonKey, IsTextOrANumberAsWritten) {
  EXPECT_EQ(json_key(R"({"id":"a\u00e4\n"})", "id").value(), "a\xC3\xA4\n");
  EXPECT_EQ(json_key(R"({"x":{"id":1},"id":18446744073709551615})", "id").value(),
            "18446744073709551615");
  EXPECT_EQ(json_key(R"({"id":-5})", "id").value(), "-5");
  EXPECT_EQ(json_key(R"({"id":1.50})", "id").value(), "1.50");
  EXPECT_EQ(json_key(R"([1,2])", "").value(), "");
  EXPECT_EQ(json_key(R"({"id":1,"id":2})", "id").value(), "1");
}

TEST(JsonKey, SaysWhatIsWrong) {
  const auto why = [](BytesView line) { return json_key(line, "id").error().message(); };
  EXPECT_EQ(why("{\"id\":1"), "no valid JSON at byte 8");
  EXPECT_EQ(why("{\"id\":null}"), "the key field 'id' is null, not text or a number");
  EXPECT_EQ(why("{\"id\":[1]}"), "the key field 'id' is an array, not text or a number");
  EXPECT_EQ(why("{\"other\":1}"), "there is no key field 'id'");
  EXPECT_EQ(why("[\"id\"]"), "no JSON object, so no field 'id'");
  EXPECT_FALSE(json_key("{\"id\":1} x", "id"));
  EXPECT_FALSE(json_key("{\"id\":\"\xff\"}", "id"));
  EXPECT_FALSE(json_key("", ""));
  EXPECT_FALSE(json_key(std::string(100'000, '['), "")) << "and deep ones cost no stack";
}

}  // namespace
}  // namespace strata::cli
