#include "stack/store_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <numeric>

namespace strata::stack {
namespace {

StoreFile sample() {
  StoreFile store;
  store.state = StoreState::ready;
  store.created_ms = 1'704'067'200'000;
  std::iota(store.id.begin(), store.id.end(), '\0');
  store.backend = "memory";
  store.made_by = "0.1.0";
  return store;
}

TEST(StoreFile, IsTheGoldenFile) {
  std::ifstream file(STRATA_TEST_DATA "/store/v1-memory.bin", std::ios::binary);
  const std::string golden((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(encode_store_file(sample()), golden);
  const Result<StoreFile> read = decode_store_file(golden, "STORE");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, sample());
}

TEST(StoreFile, RefusesEveryFlippedBitAndEveryCut) {
  const Bytes good = encode_store_file(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_store_file(bad, "STORE")) << "bit " << bit;
  }
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(decode_store_file(good.substr(0, n), "STORE")) << n << " bytes";
  }
  EXPECT_FALSE(decode_store_file(good + "x", "STORE"));
}

TEST(StoreFile, TellsALaterFormatFromDamage) {
  Bytes later = encode_store_file(sample());
  later[8] = 2;
  EXPECT_EQ(decode_store_file(later, "STORE").error().code(), Code::not_supported);
  later = later.substr(0, 12) + "anything";
  EXPECT_EQ(decode_store_file(later, "STORE").error().code(), Code::not_supported);
  EXPECT_EQ(decode_store_file("", "STORE").error().code(), Code::corruption);
  EXPECT_EQ(decode_store_file("not a store at all", "d/STORE").error().to_string(),
            "'d/STORE' is damaged: it does not begin as it must");
}

}  // namespace
}  // namespace strata::stack
