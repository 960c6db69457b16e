// A segment is read as it was sealed, or it says what is wrong: after flipped bits, cuts, mistaken
// names, devices that fail, and loss of power.
#include "backends/hybridlog/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <vector>

#include "backends/hybridlog/golden_records.h"
#include "base/clock.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "io/files.h"
#include "io/sim_file_system.h"

namespace strata::backends::hybridlog {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kNumber = 2;
constexpr std::uint64_t kFirst = 0x4000000;
constexpr std::size_t kUnits = 3;
constexpr std::uint64_t kDataBytes = 2 * kUnitBytes + 432;  // ends within the third unit
constexpr std::uint64_t kFileBytes = kSegmentHeaderBytes + kUnits * kUnitBytes + kUnitBytes;

/// Nothing: it did not fail.
std::optional<Code> code_of(const Result<>& result) {
  return result ? std::nullopt : std::optional(result.error().code());
}

Bytes data_of(std::size_t units, std::uint64_t seed = 1) {
  return base::Random(seed).bytes(units * kUnitBytes);
}

/// A machine with one segment on it.
class SegmentTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(io::create_directories(files_, "segments")); }

  std::shared_ptr<Segment> create(io::FileSystem& files, std::size_t units = kUnits) {
    auto made = Segment::create(files, "segments", store_, kNumber, kFirst, units * kUnitBytes);
    EXPECT_TRUE(made) << made.error().to_string();
    return made ? *made : nullptr;
  }
  /// A whole one of kUnits units.
  void make() {
    const auto segment = create(files_);
    write(*segment, 0, data_);
    const Result<> sealed = segment->seal(kDataBytes);
    ASSERT_TRUE(sealed) << sealed.error().to_string();
  }
  /// From memory that direct I/O takes.
  static Result<> try_write(Segment& segment, std::uint64_t offset, BytesView bytes) {
    UnitBuffer buffer;
    buffer.reserve(bytes.size());
    std::memcpy(buffer.data(), bytes.data(), bytes.size());
    return segment.write(offset, {buffer.data(), bytes.size()});
  }
  static void write(Segment& segment, std::uint64_t offset, BytesView bytes) {
    const Result<> written = try_write(segment, offset, bytes);
    ASSERT_TRUE(written) << written.error().to_string();
  }
  Result<std::shared_ptr<Segment>> open(std::uint64_t data_bytes = kDataBytes) {
    return Segment::open(files_, "segments", store_, kNumber, kFirst, data_bytes);
  }
  Error trouble(const Result<std::shared_ptr<Segment>>& opened) {
    return opened ? Error(Code::io, "no trouble") : opened.error();
  }
  /// Reads and checks all units, each by itself.
  static Result<Bytes> read(Segment& segment) {
    Bytes all;
    UnitBuffer buffer;
    buffer.reserve(kUnitBytes);
    for (std::uint64_t at = 0; at < segment.data_bytes(); at += kUnitBytes) {
      const std::span<char> unit(buffer.data(), kUnitBytes);
      STRATA_TRY(io::read_exactly(segment.file(), kSegmentHeaderBytes + at, unit));
      STRATA_TRY(segment.check(at, unit));
      all.append(unit.data(), unit.size());
    }
    return all;
  }
  /// Opens and reads; false: something was said against it, namely corruption of this file.
  bool comes_back() {
    const auto opened = open();
    const Result<Bytes> all = opened ? read(**opened) : Result<Bytes>(opened.error());
    if (all) {
      EXPECT_EQ(*all, data_);
      return true;
    }
    EXPECT_EQ(all.error().code(), Code::corruption) << all.error().to_string();
    EXPECT_THAT(all.error().message(), HasSubstr("segments/000000000002.segment"));
    return false;
  }
  Bytes file() { return io::read_file(files_, path_).value().value(); }
  /// As a writer would that may do what ours does not.
  void put(BytesView bytes) { ASSERT_TRUE(io::write_file_atomically(files_, path_, bytes)); }

  base::SimClock clock_;
  io::SimFileSystem files_{1, clock_};
  const StoreId store_ = golden_store();
  const Bytes data_ = data_of(kUnits);
  const std::string path_ = "segments/000000000002.segment";
};

TEST_F(SegmentTest, IsTheGoldenFile) {
  const Bytes records = golden_records();
  const auto segment = create(files_, 1);
  Bytes unit = records;
  unit.resize(kUnitBytes, '\0');
  write(*segment, 0, unit);
  ASSERT_TRUE(segment->seal(records.size()));
  const Bytes bytes = golden("v1-segment.bin");
  EXPECT_EQ(file(), bytes);

  put(bytes);
  const auto opened = open(records.size());
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(read(**opened).value(), unit);
}

TEST_F(SegmentTest, WhatWasSealedIsRead) {
  const auto segment = create(files_, 8);
  EXPECT_EQ(segment->path(), path_);
  EXPECT_EQ(segment->data_bytes(), 0u);
  EXPECT_EQ(segment->bytes_on_disk(), kSegmentHeaderBytes);
  write(*segment, 0, BytesView(data_).substr(0, 2 * kUnitBytes));
  EXPECT_EQ(segment->data_bytes(), 2 * kUnitBytes);
  // Read before it is sealed, too.
  EXPECT_EQ(read(*segment).value(), data_.substr(0, 2 * kUnitBytes));
  write(*segment, 2 * kUnitBytes, BytesView(data_).substr(2 * kUnitBytes));
  EXPECT_FALSE(segment->sealed());
  ASSERT_TRUE(segment->seal(kDataBytes));

  const auto opened = open();
  ASSERT_TRUE(opened) << opened.error().to_string();
  for (Segment* const each : {segment.get(), opened->get()}) {
    EXPECT_TRUE(each->sealed());
    EXPECT_EQ(each->number(), kNumber);
    EXPECT_EQ(each->first(), kFirst);
    EXPECT_EQ(each->data_bytes(), kDataBytes);
    EXPECT_EQ(each->bytes_on_disk(), kFileBytes);
    EXPECT_EQ(read(*each).value(), data_);
  }
  EXPECT_EQ(file().size(), kFileBytes);
}

// The table takes 4 bytes a unit: around the lengths at which it needs one unit more itself.
TEST_F(SegmentTest, TablesOfEveryLengthAreRead) {
  for (const std::size_t units : {1u, 1015u, 1016u, 1017u, 1024u, 2040u, 2041u}) {
    const Bytes data = data_of(units, units);
    const auto segment = create(files_, units);
    write(*segment, 0, data);
    ASSERT_TRUE(segment->seal(units * kUnitBytes));
    const auto opened = open(units * kUnitBytes);
    ASSERT_TRUE(opened) << opened.error().to_string();
    EXPECT_EQ(read(**opened).value(), data);
    EXPECT_EQ((*opened)->bytes_on_disk(), file().size());
  }
}

TEST_F(SegmentTest, EveryFlippedBitIsReported) {
  make();
  // All bits of the fields, and some elsewhere.
  std::vector<std::uint64_t> bits;
  for (std::uint64_t bit = 0; bit < 80 * 8; ++bit) {
    bits.push_back(bit);
    bits.push_back((kFileBytes - kUnitBytes) * 8 + bit);
  }
  for (std::uint64_t bit = 0; bit < kFileBytes * 8; bit += 101) bits.push_back(bit);
  for (const std::uint64_t bit : bits) {
    ASSERT_TRUE(files_.flip_bit(path_, bit));
    if (bit / 16 == 4) {
      EXPECT_FALSE(open());  // the format: a later version may have written it
    } else {
      EXPECT_FALSE(comes_back()) << "byte " << bit / 8 << ", bit " << bit % 8;
    }
    ASSERT_TRUE(files_.flip_bit(path_, bit));
  }
  EXPECT_TRUE(comes_back());
}

TEST_F(SegmentTest, CorruptionNamesFileAndPlace) {
  make();
  ASSERT_TRUE(files_.flip_bit(path_, 8 * (kSegmentHeaderBytes + kUnitBytes + 5)));
  const auto opened = open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(read(**opened).error().message(),
            "segments/000000000002.segment: checksum differs at byte 8192 (log address 67112960)");
  // Of a run of units the damaged one is named, and those without a checksum are not believed.
  UnitBuffer all;
  all.reserve(4 * kUnitBytes);
  std::memset(all.data(), 0, all.capacity());
  std::memcpy(all.data(), data_.data(), data_.size());
  EXPECT_TRUE((*opened)->check(0, {all.data(), 3 * kUnitBytes}));
  EXPECT_FALSE((*opened)->check(0, {all.data(), 4 * kUnitBytes}));
  EXPECT_FALSE((*opened)->check(kUnitBytes, {all.data(), kUnitBytes}));
}

TEST_F(SegmentTest, AnyOtherLengthIsReported) {
  make();
  const Bytes good = file();
  for (std::size_t n = 0; n < good.size(); n += 512) {
    put(good.substr(0, n));
    EXPECT_FALSE(comes_back()) << n;
  }
  put(good.substr(0, good.size() - 1));
  EXPECT_FALSE(comes_back());
  put(good + Bytes(kUnitBytes, '\0'));
  EXPECT_FALSE(comes_back());
  put(good);
  EXPECT_TRUE(comes_back());
}

TEST_F(SegmentTest, AMissingOneIsCorruption) {
  EXPECT_EQ(trouble(open()).code(), Code::corruption);
  EXPECT_THAT(trouble(open()).message(), HasSubstr("missing"));
}

TEST_F(SegmentTest, OneThatWasNotSealedDoesNotOpen) {
  const auto segment = create(files_);
  EXPECT_FALSE(comes_back());
  write(*segment, 0, data_);
  EXPECT_FALSE(comes_back());
}

TEST_F(SegmentTest, AnothersIsRefused) {
  make();
  StoreId other = store_;
  other.bytes[15] = 0;
  const auto elsewhere = HasSubstr("another store or another place");
  EXPECT_THAT(
      trouble(Segment::open(files_, "segments", other, kNumber, kFirst, kDataBytes)).message(),
      elsewhere);
  EXPECT_THAT(
      trouble(Segment::open(files_, "segments", store_, kNumber, kFirst + 1, kDataBytes)).message(),
      elsewhere);
  ASSERT_TRUE(files_.rename(path_, "segments/000000000003.segment"));
  EXPECT_THAT(trouble(Segment::open(files_, "segments", store_, 3, kFirst, kDataBytes)).message(),
              elsewhere);
  ASSERT_TRUE(files_.rename("segments/000000000003.segment", path_));
  for (const std::uint64_t bytes : {kDataBytes - 8, kDataBytes + 8, kDataBytes + kUnitBytes,
                                    std::uint64_t{8}, std::uint64_t{1} << 40}) {
    EXPECT_EQ(trouble(open(bytes)).code(), Code::corruption) << bytes;
  }
  EXPECT_TRUE(comes_back());
}

TEST_F(SegmentTest, ALaterFormatIsNotSupported) {
  make();
  Bytes later = file();
  later[8] = 2;
  put(later);
  EXPECT_EQ(trouble(open()).code(), Code::not_supported);
}

TEST_F(SegmentTest, WhatLiesUnderItsNameIsReplaced) {
  put(Bytes(100'000, 'x'));
  make();
  EXPECT_TRUE(comes_back());
}

TEST_F(SegmentTest, ACreationThatFailsLeavesNoFile) {
  files_.inject({.call = io::SimCall::write, .error_number = ENOSPC});
  EXPECT_EQ(trouble(Segment::create(files_, "segments", store_, kNumber, kFirst, 1)).code(),
            Code::quota);
  EXPECT_FALSE(files_.stat(path_).value().has_value());
}

TEST_F(SegmentTest, AWriteThatFailedIsRepeated) {
  const auto segment = create(files_);
  files_.inject({.call = io::SimCall::write, .times = 2, .error_number = ENOSPC});
  EXPECT_EQ(code_of(try_write(*segment, 0, data_)), Code::quota);
  EXPECT_EQ(segment->data_bytes(), 0u);
  EXPECT_EQ(code_of(try_write(*segment, 0, data_)), Code::quota);
  write(*segment, 0, data_);
  files_.inject({.call = io::SimCall::write, .error_number = ENOSPC});
  EXPECT_EQ(code_of(segment->seal(kDataBytes)), Code::quota);
  EXPECT_FALSE(segment->sealed());
  ASSERT_TRUE(segment->seal(kDataBytes));
  EXPECT_TRUE(comes_back());
}

// A failed sync may have dropped what was written; a second one that succeeds would promise it.
TEST_F(SegmentTest, ASyncThatFailedIsFinal) {
  for (const io::SimCall call : {io::SimCall::sync, io::SimCall::sync_directory}) {
    const auto segment = create(files_);
    write(*segment, 0, data_);
    files_.inject({.call = call});
    EXPECT_EQ(code_of(segment->seal(kDataBytes)), Code::io);
    EXPECT_EQ(code_of(segment->seal(kDataBytes)), Code::io);
    EXPECT_EQ(code_of(try_write(*segment, 0, data_)), Code::io);
    EXPECT_FALSE(segment->sealed());
  }
}

// Aim: what seal() acknowledged is whole after a loss of power; what it did not is whole or
// reported. Method: power is lost before each call that changes something, with many disks.
TEST_F(SegmentTest, WhatWasSealedSurvivesALossOfPower) {
  int sealed = 0;
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    for (std::uint64_t calls = 0; calls <= 8; ++calls) {
      io::SimFileSystem files(seed, clock_);
      ASSERT_TRUE(io::create_directories(files, "segments"));
      files.crash_after(calls);
      const auto attempt = [&]() -> Result<> {
        STRATA_LET(const auto segment, Segment::create(files, "segments", store_, kNumber, kFirst,
                                                       kUnits * kUnitBytes));
        STRATA_TRY(try_write(*segment, 0, BytesView(data_).substr(0, kUnitBytes)));
        STRATA_TRY(try_write(*segment, kUnitBytes, BytesView(data_).substr(kUnitBytes)));
        return segment->seal(kDataBytes);
      };
      const bool acknowledged = attempt().has_value();
      files.crash();
      const auto opened = Segment::open(files, "segments", store_, kNumber, kFirst, kDataBytes);
      const Result<Bytes> all = opened ? read(**opened) : Result<Bytes>(opened.error());
      if (all) {
        EXPECT_EQ(*all, data_);
      } else {
        EXPECT_EQ(all.error().code(), Code::corruption) << all.error().to_string();
        EXPECT_FALSE(acknowledged) << "seed " << seed << ": " << all.error().to_string();
      }
      sealed += acknowledged ? 1 : 0;
      lost += all ? 0 : 1;
    }
  }
  EXPECT_GT(sealed, 40);
  EXPECT_GT(lost, 40);
}

}  // namespace
}  // namespace strata::backends::hybridlog
