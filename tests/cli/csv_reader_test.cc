#include "cli/csv_reader.h"

#include <gtest/gtest.h>

namespace strata::cli {
namespace {

/// "line|field|field" a row, "line!fault" a bad one.
std::vector<std::string> rows_of(BytesView text, std::size_t piece, std::size_t longest = 1000) {
  MemorySource source(text, piece);
  CsvReader reader(source, longest);
  std::vector<std::string> rows;
  while (true) {
    const auto step = reader.next().value();
    if (step == CsvReader::Step::end) return rows;
    std::string shown = std::to_string(reader.first_line());
    if (step == CsvReader::Step::bad) {
      rows.push_back(shown + "!" + reader.fault());
      continue;
    }
    for (const Bytes& field : reader.fields()) shown += "|" + field;
    rows.push_back(shown);
  }
}

TEST(CsvReader, ReadsQuotedFieldsWithQuotesCommasAndLineEnds) {
  const std::string text =
      "a,b,c\r\n\r\n\"x,y\",\"say \"\"hi\"\"\",\"two\nlines\"\n,,\n\"\",1,last";
  const std::vector<std::string> expected = {"1|a|b|c", "3|x,y|say \"hi\"|two\nlines", "5|||",
                                             "6||1|last"};
  for (const std::size_t piece : {1U, 2U, 3U, 1000U}) EXPECT_EQ(rows_of(text, piece), expected);
}

TEST(CsvReader, KeepsTheBytesOfARow) {
  const std::string text = "\"a\"\"\",\"b\nc\"\r\nrest";
  MemorySource source(text, 2);
  CsvReader reader(source, 100);
  ASSERT_EQ(reader.next().value(), CsvReader::Step::row);
  EXPECT_EQ(reader.row(), "\"a\"\"\",\"b\nc\"");
  EXPECT_EQ(reader.line_end(), "\r\n");
  EXPECT_EQ(reader.place().line, 2U);
  ASSERT_EQ(reader.next().value(), CsvReader::Step::row);
  EXPECT_EQ(reader.row(), "rest");
  EXPECT_EQ(reader.line_end(), "");
  EXPECT_EQ(reader.place().offset, text.size());
}

TEST(CsvReader, GoesOnBehindABadRow) {
  const std::vector<std::string> expected = {"1!a quote within a field that is not quoted", "2|b",
                                             "3!text behind a quoted field", "4|c"};
  for (const std::size_t piece : {1U, 1000U}) {
    EXPECT_EQ(rows_of("a\"x\nb\n\"q\"z\nc\n", piece), expected);
  }
  EXPECT_EQ(rows_of("\"never\nb\nc\n", 1),
            (std::vector<std::string>{"1!a quoted field that never ends", "2|b", "3|c"}));
  EXPECT_EQ(rows_of("1234567890123\nb\n", 2, 10),
            (std::vector<std::string>{"1!a row of more than 10 bytes", "2|b"}));
}

}  // namespace
}  // namespace strata::cli
