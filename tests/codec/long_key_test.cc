#include "codec/long_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "codec/physical_key.h"

namespace strata::codec {
namespace {

constexpr LongKeys kKeys(24);  // P is 8

Bytes physical(BytesView key) {
  Bytes bytes;
  put_physical_key(bytes, {Keyspace{16}, key});
  return bytes;
}

TEST(LongKeys, ShortKeysAreStoredAsTheyAre) {
  for (const char* key : {"", "a", "abcd"}) {
    const Bytes stored = kKeys.stored(physical(key));
    EXPECT_EQ(stored, physical(key));
    EXPECT_FALSE(kKeys.is_long(stored));
    Bytes rest;
    kKeys.put_rest(rest, physical(key));
    EXPECT_TRUE(rest.empty());
  }
}

TEST(LongKeys, LongKeysFitAndComeBackFromStoredKeyAndRecord) {
  for (const std::size_t bytes : {5UL, 20UL, 65536UL}) {
    const Bytes key = physical(Bytes(bytes, 'k'));
    const Bytes stored = kKeys.stored(key);
    EXPECT_EQ(stored.size(), 24u);
    EXPECT_TRUE(kKeys.is_long(stored));
    Bytes record;
    kKeys.put_rest(record, key);
    record += "record";
    BytesView left = record;
    const Result<BytesView> rest = kKeys.take_rest(stored, left);
    ASSERT_TRUE(rest.has_value());
    EXPECT_EQ(left, "record");
    EXPECT_EQ(kKeys.physical(stored, *rest), key);
  }
}

TEST(LongKeys, TheExampleOfTheFormat) {
  const Bytes key = physical("abcdefgh");
  const Bytes stored = kKeys.stored(key);
  EXPECT_EQ(stored.substr(0, 8), Bytes("\0\0\0\x10"
                                       "abcd",
                                       8));
  EXPECT_EQ(stored.substr(8),
            Bytes("\043\122\377\347\322\064\355\025\236\240\145\366\367\144\160\025", 16));
  Bytes record;
  kKeys.put_rest(record, key);
  EXPECT_EQ(record,
            "\x04"
            "efgh");
}

TEST(LongKeys, StoredKeysSortAsKeysBetweenGroups) {
  constexpr std::uint64_t kSeed = 99;
  SCOPED_TRACE(kSeed);
  base::Random random(kSeed);
  std::vector<Bytes> keys;
  for (int i = 0; i < 400; ++i) {
    Bytes key(random.uniform(8), 'a');
    for (char& c : key) c = static_cast<char>('a' + random.uniform(2));
    keys.push_back(physical(key));
  }
  for (const Bytes& one : keys) {
    for (const Bytes& other : keys) {
      const Bytes a = kKeys.stored(one);
      const Bytes b = kKeys.stored(other);
      EXPECT_EQ(a == b, one == other);
      if (a.substr(0, 8) != b.substr(0, 8)) {
        EXPECT_EQ(a < b, one < other);
      }
    }
  }
}

TEST(LongKeys, ADamagedRestIsRefused) {
  const Bytes key = physical("a long key");
  const Bytes stored = kKeys.stored(key);
  Bytes record;
  kKeys.put_rest(record, key);
  for (std::size_t bytes = 0; bytes < record.size(); ++bytes) {
    BytesView cut = BytesView(record).substr(0, bytes);
    EXPECT_FALSE(kKeys.take_rest(stored, cut).has_value()) << bytes;
  }
  BytesView none("\0record", 7);
  EXPECT_FALSE(kKeys.take_rest(stored, none).has_value());
}

TEST(GroupOrder, KeepsTheFirstInScanOrder) {
  base::Random random(5);
  std::vector<Bytes> all;
  for (int i = 0; i < 100; ++i) all.push_back(std::to_string(1000 + i));
  std::ranges::shuffle(all, random);
  for (const bool reverse : {false, true}) {
    GroupOrder order(10, reverse);
    for (const Bytes& key : all) order.offer(key);
    EXPECT_TRUE(order.cut());
    std::vector<Bytes> found;
    order.visit([&](const Bytes& key) {
      found.push_back(key);
      return true;
    });
    ASSERT_EQ(found.size(), 10u);
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(found[static_cast<std::size_t>(i)], std::to_string(reverse ? 1099 - i : 1000 + i));
    }
  }
}

}  // namespace
}  // namespace strata::codec
