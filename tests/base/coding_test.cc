// Every number comes back; bytes that encode none are refused, and nothing is read outside.
#include "base/coding.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"

namespace strata::base {
namespace {

TEST(Coding, LittleEndianPutsTheLowByteFirst) {
  Bytes bytes;
  put_u16_le(bytes, 0x0102);
  put_u32_le(bytes, 0x03040506);
  put_u64_le(bytes, 0x0708090a0b0c0d0e);
  EXPECT_EQ(bytes, "\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07");
}

TEST(Coding, BigEndianSortsAsNumbersDo) {
  Random random(7);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t a = random.next() >> random.uniform(64);
    const std::uint64_t b = random.next() >> random.uniform(64);
    Bytes left, right;
    put_u64_be(left, a);
    put_u64_be(right, b);
    EXPECT_EQ(a < b, left < right) << a << " " << b;
  }
}

TEST(Coding, EveryFixedNumberComesBack) {
  Random random(8);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t v = random.next();
    Bytes bytes;
    put_u8(bytes, static_cast<std::uint8_t>(v));
    put_u16_le(bytes, static_cast<std::uint16_t>(v));
    put_u32_le(bytes, static_cast<std::uint32_t>(v));
    put_u64_le(bytes, v);
    put_u32_be(bytes, static_cast<std::uint32_t>(v));
    put_u64_be(bytes, v);
    Reader reader(bytes);
    EXPECT_EQ(reader.u8(), static_cast<std::uint8_t>(v));
    EXPECT_EQ(reader.u16_le(), static_cast<std::uint16_t>(v));
    EXPECT_EQ(reader.u32_le(), static_cast<std::uint32_t>(v));
    EXPECT_EQ(reader.u64_le(), v);
    EXPECT_EQ(reader.u32_be(), static_cast<std::uint32_t>(v));
    EXPECT_EQ(reader.u64_be(), v);
    EXPECT_TRUE(reader.finished());
  }
}

TEST(Varint, EveryLengthComesBackAndTakesWhatItSays) {
  for (int bits = 0; bits <= 64; ++bits) {
    const std::uint64_t top =
        bits == 64 ? std::numeric_limits<std::uint64_t>::max() : (std::uint64_t{1} << bits) - 1;
    for (const std::uint64_t v : {top, top + 1}) {
      Bytes bytes;
      put_varint(bytes, v);
      EXPECT_EQ(bytes.size(), varint_bytes(v)) << v;
      Reader reader(bytes);
      EXPECT_EQ(reader.varint64(), v);
      EXPECT_TRUE(reader.finished()) << v;
    }
  }
}

TEST(Varint, IsRefusedWhenCutShort) {
  Bytes bytes;
  put_varint(bytes, std::numeric_limits<std::uint64_t>::max());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    Reader reader(BytesView(bytes).substr(0, n));
    EXPECT_EQ(reader.varint64(), 0U);
    EXPECT_FALSE(reader.ok()) << n;
  }
}

TEST(Varint, IsRefusedInALongerFormThanNeeded) {
  Reader padded(BytesView("\x80\x00", 2));
  padded.varint64();
  EXPECT_FALSE(padded.ok());
  Reader padded_one(BytesView("\x81\x80\x00", 3));
  padded_one.varint64();
  EXPECT_FALSE(padded_one.ok());
}

TEST(Varint, IsRefusedBeyondItsBits) {
  Reader beyond_64("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  beyond_64.varint64();
  EXPECT_FALSE(beyond_64.ok());
  Reader endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  endless.varint64();
  EXPECT_FALSE(endless.ok());
  Bytes bytes;
  put_varint(bytes, std::uint64_t{1} << 32);
  Reader beyond_32(bytes);
  EXPECT_EQ(beyond_32.varint32(), 0U);
  EXPECT_FALSE(beyond_32.ok());
}

TEST(Reader, StaysFailedOnceAReadFailed) {
  Reader reader("abc");
  EXPECT_EQ(reader.u32_le(), 0U);
  EXPECT_EQ(reader.u8(), 0U);
  EXPECT_EQ(reader.bytes(1), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_FALSE(reader.finished());
}

TEST(Reader, TakesSizedBytesAndRefusesALengthThatLies) {
  Bytes bytes;
  put_sized(bytes, "hello");
  put_sized(bytes, "");
  Reader reader(bytes);
  EXPECT_EQ(reader.sized(), "hello");
  EXPECT_EQ(reader.sized(), "");
  EXPECT_TRUE(reader.finished());

  Bytes lying;
  put_varint(lying, std::numeric_limits<std::uint64_t>::max());
  lying += "hello";
  Reader liar(lying);
  EXPECT_EQ(liar.sized(), "");
  EXPECT_FALSE(liar.ok());
}

TEST(Reader, NeverReadsOutsideAnyBytes) {
  Random random(9);
  for (int i = 0; i < 2000; ++i) {
    const Bytes bytes = random.bytes(random.uniform(24));
    Reader reader(bytes);
    std::size_t left = bytes.size();
    while (reader.ok()) {
      switch (random.uniform(5)) {
        case 0:
          reader.u16_le();
          break;
        case 1:
          reader.varint32();
          break;
        case 2:
          reader.varint64();
          break;
        case 3:
          reader.sized();
          break;
        default:
          reader.u64_be();
          break;
      }
      ASSERT_LE(reader.remaining(), left);
      left = reader.remaining();
    }
  }
}

}  // namespace
}  // namespace strata::base
