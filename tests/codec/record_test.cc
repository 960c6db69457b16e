#include "codec/record.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/random.h"

namespace strata::codec {
namespace {

struct Sample {
  RecordAttributes attributes;
  Version version;
  Checksum checksum = Checksum::none;
  Bytes key;
  Bytes value;
};

Bytes encode(const Sample& sample) {
  Bytes record;
  put_record_head(record, sample.attributes, sample.version, sample.checksum, sample.key,
                  sample.value);
  return record + sample.value;
}

Sample full_sample() {
  Sample sample;
  sample.attributes.type = ValueType::system;
  sample.attributes.expires_ms = -1;
  sample.attributes.codec = 0xfe;
  sample.attributes.dictionary = 0xffffffff;
  sample.attributes.encryption_key = 128;
  sample.attributes.extension = Bytes("\0later", 6);
  sample.version = Version{~std::uint64_t{0}};
  sample.checksum = Checksum::crc32c;
  sample.key = Bytes("a\0b", 3);
  sample.value = "the value";
  return sample;
}

Sample random_sample(base::Random& random) {
  Sample sample;
  sample.attributes.type = static_cast<ValueType>(random.uniform(10));
  if (random.one_in(2)) sample.attributes.expires_ms = static_cast<std::int64_t>(random.next());
  if (random.one_in(2)) sample.attributes.codec = static_cast<std::uint8_t>(random.next());
  if (random.one_in(2)) sample.attributes.dictionary = static_cast<std::uint32_t>(random.next());
  if (random.one_in(2)) {
    sample.attributes.encryption_key = static_cast<std::uint32_t>(random.uniform(300));
  }
  if (random.one_in(3)) {
    sample.attributes.extension = random.bytes(random.uniform(kExtensionBytesMax + 1));
  }
  if (random.one_in(2)) sample.version = Version{random.next() >> random.uniform(64)};
  if (random.one_in(2)) sample.checksum = Checksum::crc32c;
  sample.key = random.bytes(random.uniform(40));
  sample.value = random.bytes(random.uniform(200));
  return sample;
}

void expect_same(const Sample& sample, const Result<RecordView>& parsed) {
  ASSERT_TRUE(parsed.has_value()) << parsed.error().to_string();
  EXPECT_EQ(static_cast<const RecordAttributes&>(parsed->info), sample.attributes);
  EXPECT_EQ(parsed->info.version, sample.version);
  EXPECT_EQ(parsed->info.value_bytes, sample.value.size());
  EXPECT_EQ(parsed->value, sample.value);
}

Code code_of(BytesView record, Checksum checksum = Checksum::none) {
  const Result<RecordView> parsed = parse_record(record, checksum, "k");
  return parsed ? Code{} : parsed.error().code();
}

TEST(Record, APlainStringCostsTwoBytes) {
  Bytes head;
  put_record_head(head, {}, Version{}, Checksum::none, "key", "value");
  EXPECT_EQ(head, Bytes("\x10\0", 2));
}

TEST(Record, ComesBackAsItWasForRandomAttributes) {
  constexpr std::uint64_t kSeed = 20240101;
  SCOPED_TRACE(kSeed);
  base::Random random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    const Sample sample = random_sample(random);
    expect_same(sample, parse_record(encode(sample), sample.checksum, sample.key));
  }
}

TEST(Record, IsRefusedWhenCutAtAnyByte) {
  Sample sample = full_sample();
  const Bytes record = encode(sample);
  for (std::size_t bytes = 0; bytes < record.size(); ++bytes) {
    EXPECT_EQ(code_of(BytesView(record).substr(0, bytes), Checksum::crc32c), Code::corruption)
        << bytes;
  }
  // Without a checksum what is cut within the fields is found, too.
  sample.checksum = Checksum::none;
  const Bytes plain = encode(sample);
  for (std::size_t bytes = 0; bytes < plain.size() - sample.value.size(); ++bytes) {
    EXPECT_EQ(code_of(BytesView(plain).substr(0, bytes)), Code::corruption) << bytes;
  }
}

TEST(Record, IsRefusedWhenAnyBitIsFlippedUnderAChecksum) {
  const Sample sample = full_sample();
  const Bytes record = encode(sample);
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    Bytes flipped = record;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(parse_record(flipped, Checksum::crc32c, sample.key).has_value()) << bit;
  }
}

TEST(Record, IsRefusedUnderAnotherKey) {
  const Sample sample = full_sample();
  EXPECT_EQ(code_of(encode(sample), Checksum::crc32c), Code::corruption);
}

TEST(Record, RefusesWhatALaterVersionMayHaveWritten) {
  EXPECT_EQ(code_of(Bytes("\x20\0", 2)), Code::not_supported);    // format
  EXPECT_EQ(code_of(Bytes("\x1a\0", 2)), Code::not_supported);    // type
  EXPECT_EQ(code_of(Bytes("\x10\x80", 2)), Code::not_supported);  // flag
}

TEST(Record, RefusesFormsThatAreNeverWritten) {
  EXPECT_EQ(code_of(Bytes("\0\0", 2)), Code::corruption);                          // no format
  EXPECT_EQ(code_of(Bytes("\x10\x01\0", 3)), Code::corruption);                    // version 0
  EXPECT_EQ(code_of(Bytes("\x10\x01\x81\0", 4)), Code::corruption);                // long varint
  EXPECT_EQ(code_of(Bytes("\x10\x02\0\0\0\0\0\0\0\0", 10)), Code::corruption);     // no expiry
  EXPECT_EQ(code_of(Bytes("\x10\x04\0", 3)), Code::corruption);                    // codec 0
  EXPECT_EQ(code_of(Bytes("\x10\x08\0", 3)), Code::corruption);                    // dictionary 0
  EXPECT_EQ(code_of(Bytes("\x10\x08\xff\xff\xff\xff\x1f", 7)), Code::corruption);  // 33 bits
  EXPECT_EQ(code_of(Bytes("\x10\x20\0", 3)), Code::corruption);                    // no extension
  Bytes extension("\x10\x20\x81\x20", 4);
  extension.append(4097, 'e');
  EXPECT_EQ(code_of(extension), Code::corruption);  // too long
}

TEST(Record, AChecksumCannotBeSwitchedOff) {
  EXPECT_EQ(code_of(Bytes("\x10\0value", 7), Checksum::crc32c), Code::corruption);
}

TEST(Record, AttributesThatNoRecordHoldsAreInvalid) {
  RecordAttributes attributes;
  attributes.type = static_cast<ValueType>(10);
  ASSERT_FALSE(valid_attributes(attributes).has_value());
  attributes.type = ValueType::json;
  attributes.extension.assign(kExtensionBytesMax, 'e');
  EXPECT_TRUE(valid_attributes(attributes).has_value());
  attributes.extension.push_back('e');
  ASSERT_FALSE(valid_attributes(attributes).has_value());
  EXPECT_EQ(valid_attributes(attributes).error().code(), Code::invalid_argument);
}

// Golden files: written once by format 1, read and written again byte for byte by today's code.
struct Golden {
  const char* file;
  Sample sample;
};

std::vector<Golden> goldens() {
  Sample plain;
  plain.key = "hello";
  plain.value = "world";
  Sample expiry = plain;
  expiry.attributes.expires_ms = 1704067200000;
  expiry.version = Version{300};
  expiry.checksum = Checksum::crc32c;
  Sample packed;
  packed.key = "packed";
  packed.value = Bytes("\0\xff\x7f", 3);
  packed.attributes.type = ValueType::json;
  packed.attributes.codec = 3;
  packed.attributes.dictionary = 1000;
  packed.attributes.encryption_key = 7;
  packed.version = Version{1};
  return {{"v1-plain.bin", plain},
          {"v1-expiry-checksum.bin", expiry},
          {"v1-packed.bin", packed},
          {"v1-everything.bin", full_sample()}};
}

TEST(Record, GoldenFilesAreReadAndWrittenByteForByte) {
  for (const Golden& golden : goldens()) {
    SCOPED_TRACE(golden.file);
    std::ifstream file(std::string(STRATA_TEST_DATA "/record/") + golden.file, std::ios::binary);
    ASSERT_TRUE(file.is_open());
    const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(encode(golden.sample), bytes);
    expect_same(golden.sample, parse_record(bytes, golden.sample.checksum, golden.sample.key));
  }
}

}  // namespace
}  // namespace strata::codec
