// Names: every key has one, in its own folder, that is safe for any file system.
#include "backends/file/names.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "strata/record.h"

namespace strata::backends::file {
namespace {

using namespace std::string_literals;

TEST(FileNames, ShowAKeyAsItIsWhereTheyCan) {
  EXPECT_EQ(place_of("hello").name, "hello");
  EXPECT_EQ(place_of("report-2026_11.pdf").name, "report-2026_11.pdf");
  EXPECT_EQ(place_of("user:1").name, "user%3A1");
  EXPECT_EQ(place_of("a@b").name, "a%40b");
  EXPECT_EQ(place_of("50%").name, "50%25");
}

TEST(FileNames, CannotLeadOutOfTheirFolder) {
  EXPECT_EQ(place_of("").name, "%");
  EXPECT_EQ(place_of(".").name, "%2E");
  EXPECT_EQ(place_of("..").name, "%2E.");
  EXPECT_EQ(place_of("../../etc/passwd").name, "%2E.%2F..%2Fetc%2Fpasswd");
  EXPECT_EQ(place_of("a/b\\c").name, "a%2Fb%5Cc");
  EXPECT_EQ(place_of("a\0b"s).name, "a%00b");
}

TEST(FileNames, GoByTheHashWhereTheKeyIsTooLong) {
  const Bytes fits(kNameBytesMax, 'a');
  EXPECT_EQ(place_of(fits).name, fits);
  const Place place = place_of(fits + "a");
  EXPECT_LE(place.name.size(), kNameBytesMax);
  EXPECT_TRUE(place.name.starts_with(Bytes(kNamePrefixBytesMax, 'a') + "%%")) << place.name;
  EXPECT_NE(place.name, place_of(fits + "b").name);
  EXPECT_LE(place_of(Bytes(kKeyBytesMax, '/')).name.size(), kNameBytesMax);
}

TEST(FileNames, TellTheFolderAsShaSumDoes) {
  // printf %s hello | sha256sum: 2cf24dba...
  EXPECT_EQ(leaf_path(place_of("hello").leaf), "2c/f");
  EXPECT_EQ(leaf_path(0), "00/0");
  EXPECT_EQ(leaf_path(4095), "ff/f");
  EXPECT_EQ(parse_top_name("2c"), 0x2c);
  EXPECT_FALSE(parse_top_name("2C"));
  EXPECT_FALSE(parse_top_name("2cf"));
}

TEST(FileNames, OfRandomKeysAreSafeAndDistinct) {
  base::Random random(20261121);
  std::set<std::string> names;
  std::set<Bytes> keys;
  for (int i = 0; i < 20'000; ++i) {
    const Bytes key =
        random.bytes(static_cast<std::size_t>(random.uniform(3) + random.uniform(90)));
    const std::string name = place_of(key).name;
    ASSERT_TRUE(is_record_name(name)) << name;
    ASSERT_EQ(keys.insert(key).second, names.insert(name).second) << name;
  }
}

TEST(FileNames, OfFilesAreReadBack) {
  const auto value = parse_file_name("user%3A1@42");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->name, "user%3A1");
  EXPECT_EQ(value->role, FileRole::value);
  EXPECT_EQ(value->version, 42u);
  EXPECT_EQ(parse_file_name("%@meta.json")->role, FileRole::meta);
  EXPECT_EQ(parse_file_name("a@next.json")->role, FileRole::next);
  EXPECT_EQ(parse_file_name("a@temp.json")->role, FileRole::temp);
}

TEST(FileNames, OfOtherFilesAreNotOurs) {
  for (const char* name : {"hello", "hello.txt", "@42", "a@", "a@042", "a@-1", "a@4x", "a@meta",
                           ".a@42", "a b@42", "a@1@2", "a@99999999999999999999999", "notes~@1"}) {
    EXPECT_FALSE(parse_file_name(name)) << name;
  }
}

TEST(FileNames, SayTheKeyInMessages) {
  EXPECT_EQ(describe_key("user%3A1"), "'user:1'");
  EXPECT_EQ(describe_key("%"), "''");
  EXPECT_EQ(describe_key("ab%%0123"), "'ab' and so on");
  EXPECT_EQ(describe_key("ab%zz%2"), "'ab'");
}

TEST(FileNames, OfAPrefixStartTheNamesOfItsKeys) {
  for (const Bytes& key : {"a/b/c"s, "..x"s, Bytes(500, '/'), Bytes(500, 'x')}) {
    for (std::size_t n = 0; n <= key.size(); ++n) {
      EXPECT_TRUE(place_of(key).name.starts_with(name_prefix(key.substr(0, n))));
    }
  }
}

}  // namespace
}  // namespace strata::backends::file
