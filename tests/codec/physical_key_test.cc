#include "codec/physical_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace strata::codec {
namespace {

TEST(PhysicalKey, SortsAsKeyspaceThenKey) {
  constexpr std::uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  base::Random random(kSeed);
  std::vector<std::pair<Keyspace, Bytes>> keys;
  for (int i = 0; i < 500; ++i) {
    const auto space = static_cast<Keyspace>(random.one_in(2) ? random.uniform(3) : random.next());
    keys.emplace_back(space, random.bytes(random.uniform(4)));
  }
  std::ranges::sort(keys);
  for (std::size_t i = 1; i < keys.size(); ++i) {
    const PhysicalKey below({keys[i - 1].first, keys[i - 1].second});
    const PhysicalKey above({keys[i].first, keys[i].second});
    EXPECT_LE(below.view(), above.view());
    EXPECT_EQ(below.view() == above.view(), keys[i - 1] == keys[i]);
  }
}

TEST(PhysicalKey, ComesApartAgainAtEveryLength) {
  for (const std::size_t bytes : {0UL, 1UL, 91UL, 92UL, 93UL, 65536UL}) {
    const Bytes key(bytes, 'k');
    const PhysicalKey physical({Keyspace{0x01020304}, key});
    const auto parsed = parse_physical_key(physical.view());
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->space, Keyspace{0x01020304});
    EXPECT_EQ(parsed->key, key);
    Bytes appended;
    put_physical_key(appended, {Keyspace{0x01020304}, key});
    EXPECT_EQ(appended, physical.view());
  }
  EXPECT_FALSE(parse_physical_key("abc").has_value());
}

TEST(PhysicalKey, TheEndOfAKeyspaceIsAboveItsKeysAndNotAboveTheNext) {
  const Bytes high(kKeyBytesMax, '\xff');
  for (const std::uint32_t space : {0u, 16u, 0xffu, 0xfffffffeu, 0xffffffffu}) {
    const Bytes end = end_of_keyspace(Keyspace{space});
    EXPECT_GT(end, PhysicalKey({Keyspace{space}, high}).view());
    if (space != 0xffffffffu) {
      EXPECT_LE(end, PhysicalKey({Keyspace{space + 1}, {}}).view());
    }
  }
  EXPECT_EQ(physical_end(Keyspace{1}, {}), end_of_keyspace(Keyspace{1}));
  EXPECT_EQ(physical_end(Keyspace{1}, "b"), PhysicalKey({Keyspace{1}, "b"}).view());
}

}  // namespace
}  // namespace strata::codec
