// SHA-256 against the examples of FIPS 180-4.
#include "codec/sha256.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/hex.h"

namespace strata::codec {
namespace {

std::string hex(const Sha256& hash) {
  return base::hex_encode({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(Bytes(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsTheSameInEveryThread) {
  Sha256 there{};
  std::thread([&] { there = sha256("abc"); }).join();
  EXPECT_EQ(there, sha256("abc"));
}

}  // namespace
}  // namespace strata::codec
