// Records as bytes: what is written comes back, and what cannot be a record is refused.
#include "backends/hybridlog/record.h"

#include <gtest/gtest.h>

#include <vector>

#include "backends/hybridlog/golden_records.h"
#include "base/random.h"

namespace strata::backends::hybridlog {
namespace {

KeyView key_of(BytesView key, Keyspace space = Keyspace{16}) { return {{space, key}, 1}; }

/// A record's value area, as a reader gets at it.
ValueArea area_of(BytesView record) {
  const RecordBounds bounds = bounds_of(record).value();
  ValueArea area;
  const Result<> parsed =
      parse_area(bounds.head, record.substr(bounds.value_at, bounds.head.value_bytes()), area);
  EXPECT_TRUE(parsed) << parsed.error().to_string();
  return area;
}

BytesView key_in(BytesView record) {
  const RecordBounds bounds = bounds_of(record).value();
  return record.substr(bounds.key_at, bounds.key_bytes);
}

TEST(Record, IsTheGoldenFile) {
  const Bytes bytes = golden("v1-records.bin");
  EXPECT_EQ(golden_records(), bytes);

  std::vector<BytesView> records;
  std::size_t filler = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const RecordStep step = next_record(BytesView(bytes).substr(at), "golden").value();
    if (step.filler) {
      filler += step.bytes;
    } else {
      records.push_back(BytesView(bytes).substr(at, step.bytes));
    }
    at += step.bytes;
  }
  EXPECT_EQ(filler, 32u);
  ASSERT_EQ(records.size(), 7u);

  EXPECT_EQ(key_in(records[0]), BytesView("\0\0\0\x10hello", 9));
  EXPECT_EQ(area_of(records[0]).value, "world");
  EXPECT_EQ(area_of(records[0]).info.version, Version{300});
  EXPECT_EQ(area_of(records[0]).info.expires_ms, kNeverExpires);

  EXPECT_EQ(area_of(records[1]).value, "brief");
  EXPECT_EQ(area_of(records[1]).info.expires_ms, 1'704'067'200'000);
  EXPECT_EQ(area_of(records[1]).info.type, ValueType::hash);
  EXPECT_EQ(bounds_of(records[1])->head.prev(), LogAddress{0x2000000});

  EXPECT_EQ(key_in(records[2]).substr(4), Bytes(251, 'k'));
  EXPECT_TRUE(bounds_of(records[2])->head.long_key());
  EXPECT_EQ(area_of(records[2]).value, "");

  const ExtentRef extent{5, 100'000, 0xdeadbeef};
  EXPECT_EQ(area_of(records[3]).extent, extent);
  EXPECT_EQ(area_of(records[3]).info.value_bytes, 100'000u);

  EXPECT_TRUE(bounds_of(records[4])->head.is(kTombstone));
  EXPECT_TRUE(bounds_of(records[5])->head.is(kInvalid));

  EXPECT_EQ(area_of(records[6]).extent, extent);
  EXPECT_EQ(area_of(records[6]).info.expires_ms, 1'704'067'200'000);
}

// Method: keys and values around each length at which the layout changes, with and without
// attributes, alive and dead.
TEST(Record, ComesBackAsItWasWritten) {
  base::Random random(1);
  RecordAttributes expiring;
  expiring.expires_ms = 12345;
  Bytes attributes;
  encode_attributes(expiring, attributes);
  for (const std::size_t key_bytes : {0u, 1u, 3u, 4u, 5u, 250u, 251u, 252u, 255u, 256u, 65'536u}) {
    for (const std::size_t value_bytes : {0u, 1u, 4u, 7u, 8u, 9u, 255u, 256u, 65'535u, 65'536u}) {
      for (const bool with_attributes : {false, true}) {
        const Bytes plain_key = random.bytes(key_bytes);
        const Bytes value = random.bytes(value_bytes);
        const KeyView key = key_of(plain_key, Keyspace{0x01020304});
        NewRecord record{.key = &key, .attributes = {}, .value = value};
        if (with_attributes) {
          record.attributes = attributes;
          record.flags = kAttributes;
        }
        const std::uint64_t version = random.uniform(kVersionMask + 1);
        const LogAddress prev{random.uniform(kAddressMask + 1)};
        AlignedBytes to(record.bytes());
        write_record(to.data(), record, version, prev);

        const RecordStep step = next_record(to.view(), "here").value();
        EXPECT_FALSE(step.filler);
        ASSERT_EQ(step.bytes, record.bytes());
        EXPECT_EQ(step.bytes % kRecordAlign, 0u);
        EXPECT_EQ(step.bounds.head.version(), version);
        EXPECT_EQ(step.bounds.head.prev(), prev);
        EXPECT_EQ(step.bounds.head.flags(), record.flags);
        EXPECT_EQ(step.bounds.head.long_key(), key_bytes + 4 >= kLongKey);
        EXPECT_TRUE(key.is_physical(key_in(to.view())));
        EXPECT_EQ(key_in(to.view()), Bytes("\1\2\3\4") + plain_key);
        const ValueArea area = area_of(to.view());
        EXPECT_EQ(area.value, value);
        EXPECT_EQ(area.info.version, Version{version});
        EXPECT_EQ(area.info.value_bytes, value_bytes);
        EXPECT_EQ(area.info.expires_ms, with_attributes ? 12345 : kNeverExpires);
        // What is behind it up to a whole word is zero.
        const std::size_t used = step.bounds.value_at + step.bounds.head.value_bytes();
        EXPECT_EQ(to.view().substr(used).find_first_not_of('\0'), BytesView::npos);

        EXPECT_TRUE(key.is_key_of(to.data(), load_head(to.data())));
        Bytes copied;
        copy_key(to.data(), copied);
        EXPECT_EQ(copied, Bytes("\1\2\3\4") + plain_key);
      }
    }
  }
}

TEST(Record, OnlyItsOwnKeyIsItsKey) {
  base::Random random(1);
  for (const std::size_t bytes : {1u, 4u, 7u, 12u, 250u, 251u, 252u, 300u}) {
    const Bytes plain = random.bytes(bytes);
    const KeyView key = key_of(plain);
    const NewRecord record{
        .key = &key, .attributes = {}, .value = "\xff\xff\xff\xff\xff\xff\xff\xff"};
    AlignedBytes to(record.bytes());
    write_record(to.data(), record, 1, {});
    const RecordHead head = load_head(to.data());
    EXPECT_TRUE(key_of(plain).is_key_of(to.data(), head));
    EXPECT_FALSE(key_of(plain, Keyspace{17}).is_key_of(to.data(), head));
    EXPECT_FALSE(key_of(plain + '\xff').is_key_of(to.data(), head)) << bytes;
    EXPECT_FALSE(key_of(plain.substr(0, bytes - 1)).is_key_of(to.data(), head)) << bytes;
    for (std::size_t i = 0; i < bytes; ++i) {
      Bytes other = plain;
      other[i] = static_cast<char>(other[i] ^ 1);
      EXPECT_FALSE(key_of(other).is_key_of(to.data(), head)) << bytes << ", " << i;
    }
  }
}

// What is overwritten in place is the same as what is written anew; the key's bytes and the bytes
// behind the record stay. The memory ends with the record, so that a sanitizer sees a step beyond.
TEST(Record, OverwritingGivesTheSameBytesAsWriting) {
  base::Random random(1);
  RecordAttributes expiring;
  expiring.expires_ms = 12345;
  Bytes attributes;
  encode_attributes(expiring, attributes);
  int overwritten = 0;
  for (std::size_t key_bytes = 0; key_bytes < 300; key_bytes += key_bytes < 20 ? 1 : 33) {
    for (std::size_t value_bytes = 0; value_bytes <= 256;
         value_bytes += value_bytes < 20 ? 1 : 47) {
      const Bytes plain = random.bytes(key_bytes);
      const KeyView key = key_of(plain);
      const Bytes value = random.bytes(value_bytes);
      const NewRecord old{.key = &key, .attributes = {}, .value = value};
      AlignedBytes to(old.bytes());
      write_record(to.data(), old, 7, {0x1238});
      const auto overwrite = [&](const NewRecord& record) {
        if (record.bytes() != old.bytes() || record.area_bytes() > kInPlaceBytesMax) return;
        AlignedBytes expected(record.bytes());
        write_record(expected.data(), record, 9, {0x1238});
        overwrite_record(to.data(), load_head(to.data()), record, 9);
        EXPECT_EQ(to.view(), expected.view()) << key_bytes << ", " << value_bytes;
        ++overwritten;
      };
      // All values of the same padded length, with attributes where they fit, and a tombstone.
      for (std::size_t n = value_bytes < 8 ? 0 : value_bytes - 8; n <= value_bytes + 8; ++n) {
        const Bytes other = random.bytes(n);
        overwrite({.key = &key, .attributes = {}, .value = other});
        if (n < attributes.size()) continue;
        const Bytes shorter = other.substr(attributes.size());
        overwrite({.key = &key, .attributes = attributes, .value = shorter, .flags = kAttributes});
      }
      overwrite({.key = &key, .attributes = {}, .value = {}, .flags = kTombstone});
    }
  }
  EXPECT_GT(overwritten, 3000);
}

TEST(Record, BoundsNeedAHeadAndALongKeysLength) {
  const Bytes bytes = golden_records();
  for (std::size_t n = 0; n < kRecordHeadBytes + 4; ++n) {
    EXPECT_FALSE(bounds_of(BytesView(bytes).substr(0, n))) << n;
  }
  const auto bounds = bounds_of(BytesView(bytes).substr(0, kRecordHeadBytes + 4));
  ASSERT_TRUE(bounds);
  EXPECT_EQ(bounds->key_at, 16u);
  EXPECT_EQ(bounds->key_bytes, 9u);
  EXPECT_EQ(bounds->value_at, 25u);
  EXPECT_EQ(bounds->bytes, 32u);
}

TEST(Record, AStepBeyondTheFrameOrToNowhereIsCorruption) {
  const auto refused = [](BytesView rest) {
    const Result<RecordStep> step = next_record(rest, "segment 7");
    if (step) return false;
    EXPECT_EQ(step.error().code(), Code::corruption);
    EXPECT_TRUE(step.error().message().starts_with("segment 7")) << step.error().message();
    return true;
  };
  const Bytes bytes = golden_records();
  const std::size_t first = next_record(bytes, "").value().bytes;
  for (std::size_t n = 0; n < first; ++n) EXPECT_TRUE(refused(bytes.substr(0, n))) << n;
  EXPECT_FALSE(refused(bytes.substr(0, first)));

  const auto words = [](std::uint64_t word0, std::uint64_t word1) {
    Bytes to;
    base::put_u64_le(to, word0);
    base::put_u64_le(to, word1);
    to.resize(1024);
    return to;
  };
  const auto record = [&](std::size_t key_bytes, std::uint64_t flags) {
    return words(std::uint64_t{key_bytes} << 48 | flags << 58, 1);
  };
  EXPECT_FALSE(refused(record(4, 0)));
  EXPECT_TRUE(refused(record(3, 0)));   // no keyspace
  EXPECT_TRUE(refused(record(4, 32)));  // a flag that is not known
  Bytes long_key = record(255, 0);
  EXPECT_TRUE(refused(long_key));  // 0 bytes, in the long form
  base::store_u32_le(long_key.data() + 16, 254);
  EXPECT_TRUE(refused(long_key));
  base::store_u32_le(long_key.data() + 16, 255);
  EXPECT_FALSE(refused(long_key));
  base::store_u32_le(long_key.data() + 16, 0xffffffff);
  EXPECT_TRUE(refused(long_key));

  const auto filler = [&](std::uint64_t bytes_to_skip) {
    return words(bytes_to_skip | std::uint64_t{kFiller} << 58, 0);
  };
  EXPECT_FALSE(refused(filler(8)));
  EXPECT_FALSE(refused(filler(1024)));
  EXPECT_FALSE(refused(filler(8).substr(0, 8)));
  EXPECT_TRUE(refused(filler(0)));
  EXPECT_TRUE(refused(filler(12)));
  EXPECT_TRUE(refused(filler(1032)));
  EXPECT_TRUE(refused(words(8 | std::uint64_t{kFiller | kTombstone} << 58, 0)));
  EXPECT_TRUE(refused(words(8 | std::uint64_t{kFiller} << 58 | std::uint64_t{1} << 48, 0)));
}

TEST(Record, ADamagedValueAreaIsCorruption) {
  const auto refused = [](std::uint8_t flags, BytesView bytes) {
    ValueArea area;
    return !parse_area(RecordHead::make({}, 1, 4, bytes.size(), flags), bytes, area);
  };
  Bytes extent;
  ExtentRef{1, 2, 3}.encode(extent);
  EXPECT_FALSE(refused(kExtent, extent));
  EXPECT_TRUE(refused(kExtent, extent.substr(1)));
  EXPECT_TRUE(refused(kExtent, extent + "x"));
  EXPECT_FALSE(refused(kAttributes, BytesView("\x10\0value", 7)));
  EXPECT_TRUE(refused(kAttributes, ""));
  EXPECT_TRUE(refused(kAttributes, BytesView("\x00\0value", 7)));
  EXPECT_TRUE(refused(kAttributes | kExtent, Bytes("\x10\0", 2) + extent.substr(1)));
  EXPECT_FALSE(refused(kAttributes | kExtent, Bytes("\x10\0", 2) + extent));
}

// Method: random bytes, and real ones with a few changed; walking them never leaves them.
TEST(Record, WalkingDamagedBytesEndsWithinThem) {
  base::Random random(1);
  const Bytes good = golden_records();
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes = good;
    for (std::uint64_t n = random.between(1, 4); n > 0; --n) {
      bytes[random.uniform(bytes.size())] = static_cast<char>(random.next());
    }
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    std::memcpy(exact.get(), bytes.data(), bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
      const BytesView rest(exact.get() + at, bytes.size() - at);
      const Result<RecordStep> step = next_record(rest, "");
      if (!step) break;
      ASSERT_GT(step->bytes, 0u);
      ASSERT_LE(step->bytes, rest.size());
      if (!step->filler) {
        ValueArea area;
        static_cast<void>(
            parse_area(step->bounds.head,
                       rest.substr(step->bounds.value_at, step->bounds.head.value_bytes()), area));
      }
      at += step->bytes;
    }
  }
}

TEST(Record, BytesAreCopiedFromAnyAddressAndLittleBehindThem) {
  alignas(8) char from[128];
  for (std::size_t i = 0; i < sizeof(from); ++i) from[i] = static_cast<char>(i + 1);
  for (std::size_t at = 0; at < 16; ++at) {
    for (std::size_t bytes = 0; bytes <= 100; ++bytes) {
      Bytes to(bytes + 16, '\0');
      load_bytes(to.data(), from + at, bytes);
      EXPECT_EQ(BytesView(to).substr(0, bytes), BytesView(from + at, bytes));
      EXPECT_EQ(to.substr(bytes + 7), Bytes(9, '\0')) << at << " " << bytes;
    }
  }
}

TEST(Record, BytesAreStoredAtAnyAddressAndNoOthers) {
  const Bytes from = base::Random(5).bytes(300);
  alignas(8) char to[328];
  for (std::size_t at = 0; at < 16; ++at) {
    for (std::size_t bytes = 0; bytes <= from.size(); bytes += bytes < 70 ? 1 : 23) {
      std::memset(to, '.', sizeof(to));
      store_bytes(to + at, from.data(), bytes);
      const Bytes expected =
          Bytes(at, '.') + from.substr(0, bytes) + Bytes(sizeof(to) - at - bytes, '.');
      ASSERT_EQ(BytesView(to, sizeof(to)), expected) << at << " " << bytes;
    }
  }
}

TEST(Record, KeysOfAllLengthsAreKnownAgain) {
  const Bytes bytes = base::Random(6).bytes(400);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const KeyView key({Keyspace{0x01020304}, BytesView(bytes).substr(0, size)}, 9);
    const Bytes physical = Bytes("\1\2\3\4") + bytes.substr(0, size);
    EXPECT_TRUE(key.is_physical(physical));
    EXPECT_TRUE(key.is(KeyView::of_physical(physical, 9)));
    EXPECT_EQ(key.hash(), KeyView::of_physical(physical, 9).hash());
    Bytes image(key.image_bytes(), '.');
    EXPECT_EQ(key.write_image(image.data()), image.data() + image.size());
    EXPECT_TRUE(image.ends_with(physical));
    NewRecord record;
    record.key = &key;
    record.value = "v";
    alignas(8) char at[512];
    write_record(at, record, 1, {});
    EXPECT_TRUE(key.is_key_of(at, load_head(at))) << size;
    if (size == 0) continue;
    Bytes other = bytes.substr(0, size);
    other[size - 1] ^= 1;
    const KeyView no({Keyspace{0x01020304}, other}, 9);
    EXPECT_FALSE(no.is_key_of(at, load_head(at))) << size;
    EXPECT_FALSE(no.is_physical(physical)) << size;
    EXPECT_FALSE(no.is(key)) << size;
  }
}

TEST(Record, PlainAttributesTakeNoBytes) {
  Bytes to = "something";
  encode_attributes(RecordAttributes{}, to);
  EXPECT_EQ(to, "");
  RecordAttributes attributes;
  attributes.extension = "x";
  encode_attributes(attributes, to);
  EXPECT_EQ(to, Bytes("\x10\x20\1x", 4));
}

}  // namespace
}  // namespace strata::backends::hybridlog
