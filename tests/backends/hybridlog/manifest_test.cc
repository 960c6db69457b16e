// What a manifest says survives damage, full disks and loss of power: the newest whole one counts.
#include "backends/hybridlog/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "backends/hybridlog/golden.h"
#include "base/clock.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "io/files.h"
#include "io/sim_file_system.h"

namespace strata::backends::hybridlog {
namespace {

using ::testing::HasSubstr;

Manifest sample(std::uint64_t generation = 7) {
  Manifest manifest;
  manifest.generation = generation;
  manifest.store = golden_store();
  manifest.hash_seed = 0x1122334455667788;
  manifest.version = 306;
  manifest.clock = 310;
  manifest.time_ms = 1'704'067'200'000;
  manifest.begin = 0x2000040;
  manifest.next_segment = 3;
  manifest.next_extent = 6;
  manifest.frame_bits = 21;
  manifest.segment_bits = 25;
  manifest.index_bits = 20;
  manifest.segments = {{1, 0x2000000}, {2, 560}};
  manifest.voids = {{20, 25, 0x4000000}};
  return manifest;
}

/// As a writer would that may do what encode() refuses to.
Bytes with_checksum(Bytes bytes) {
  bytes.resize(bytes.size() - 4);
  base::put_u32_le(bytes, base::crc32c(bytes));
  return bytes;
}

Code code_of(BytesView bytes) {
  const Result<Manifest> read = decode(bytes, "m");
  EXPECT_FALSE(read);
  return read ? Code::io : read.error().code();
}

TEST(Manifest, IsTheGoldenFile) {
  const Bytes bytes = golden("v1-manifest.bin");
  EXPECT_EQ(encode(sample()), bytes);
  const Result<Manifest> read = decode(bytes, "m");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, sample());
}

TEST(Manifest, ComesBackAsItWasWritten) {
  base::Random random(1);
  for (int i = 0; i < 500; ++i) {
    Manifest manifest = sample(1 + random.uniform(std::uint64_t{1} << 60));
    random.fill({reinterpret_cast<char*>(manifest.store.bytes), sizeof(manifest.store.bytes)});
    manifest.hash_seed = random.next();
    manifest.version = random.uniform(std::uint64_t{1} << 47);
    manifest.clock = manifest.version + random.uniform(1000);
    manifest.log_position = random.next();
    manifest.log_life = random.next();
    manifest.time_ms = static_cast<std::int64_t>(random.next());
    manifest.next_extent = random.next();
    manifest.compatible = random.next();
    manifest.read_only_compatible = random.next();
    manifest.frame_bits = static_cast<std::uint8_t>(12 + random.uniform(19));
    manifest.segment_bits =
        static_cast<std::uint8_t>(manifest.frame_bits + random.uniform(41u - manifest.frame_bits));
    manifest.index_bits = static_cast<std::uint8_t>(1 + random.uniform(48));
    manifest.segments.clear();
    manifest.voids.clear();
    std::uint64_t number = random.uniform(20);
    manifest.begin = number << manifest.segment_bits;
    for (std::uint64_t n = random.uniform(20); n > 0; --n) {
      manifest.segments.push_back(
          {number, 8 * (1 + random.uniform(std::uint64_t{1} << (manifest.segment_bits - 3)))});
      number += 1 + random.uniform(2);
    }
    manifest.next_segment = number;
    for (std::uint64_t n = random.uniform(5); n > 0; --n) {
      const std::uint64_t to = random.uniform(manifest.clock + 1);
      manifest.voids.push_back(
          {random.uniform(to + 1), to, random.uniform((number << manifest.segment_bits) + 1)});
    }
    const Result<Manifest> read = decode(encode(manifest), "m");
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(*read, manifest);
  }
}

TEST(Manifest, RefusesEveryFlippedBitAndEveryCut) {
  const Bytes good = encode(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(code_of(bad), Code::corruption) << "bit " << bit;
  }
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_EQ(code_of(good.substr(0, n)), Code::corruption) << n << " bytes";
    // Also where the checksum is right.
    if (n >= 14) {
      EXPECT_EQ(code_of(with_checksum(good.substr(0, n))), Code::corruption) << n;
    }
  }
  EXPECT_EQ(code_of(good + "x"), Code::corruption);
  EXPECT_EQ(code_of(with_checksum(good + "x")), Code::corruption);
}

TEST(Manifest, RefusesWhatALaterVersionWrote) {
  for (const std::size_t at : {8u, 32u, 39u, 140u}) {  // format, incompatible, encryption key
    Bytes later = encode(sample());
    later[at] = 2;
    EXPECT_EQ(code_of(with_checksum(later)), Code::not_supported) << at;
  }
  // Of a later format nothing more is known than where its checksum is.
  EXPECT_EQ(code_of(with_checksum(Bytes("STRATAHM\2\0anything....", 22))), Code::not_supported);
  EXPECT_EQ(code_of(with_checksum(Bytes("STRATAHM\0\0anything....", 22))), Code::corruption);
}

TEST(Manifest, KeepsFeaturesThatOneMayPassOver) {
  Manifest manifest = sample();
  manifest.compatible = 5;
  EXPECT_TRUE(decode(encode(manifest), "m").value().writable());
  manifest.read_only_compatible = 1;
  const Manifest read = decode(encode(manifest), "m").value();
  EXPECT_EQ(read, manifest);
  EXPECT_FALSE(read.writable());
}

TEST(Manifest, RefusesFieldsThatDoNotFitTogether) {
  struct Case {
    const char* what;
    std::size_t at;
    std::uint64_t value;
    std::size_t bytes = 8;
  };
  const Case cases[] = {
      {"reserved behind the format", 10, 1, 6},
      {"generation", 40, 0},
      {"version above the clock", 72, 311},
      {"a clock of more than 48 bits", 80, std::uint64_t{1} << 48},
      {"begin behind the end", 112, 0x6000001},
      {"begin behind the first segment", 112, 0x4000000},
      {"end before the last segment", 120, 2},
      {"end above 48 bits", 120, (1u << 23) + 1},
      {"frames too small", 136, 11, 1},
      {"frames too large", 136, 31, 1},
      {"segments smaller than frames", 137, 20, 1},
      {"segments too large", 137, 41, 1},
      {"reserved behind the bits", 139, 1, 1},
      {"nonce", 155, 1, 1},
      {"one segment more", 156, 3, 4},
      {"one segment less", 156, 1, 4},
      {"very many segments", 156, 0xffffffff, 4},
      {"one void more", 160, 2, 4},
      {"very many voids", 160, 0xffffffff, 4},
      {"reserved at the end", 191, 1, 1},
      {"segments out of order", 192, 2},
      {"a segment of no bytes", 200, 0},
      {"a segment longer than one", 200, 0x2000008},
      {"a segment of half a record", 216, 41},
      {"a void that ends before it begins", 224, 26},
      {"a void above the clock", 232, 311},
      {"a void behind the end", 240, 0x6000008},
  };
  for (const Case& each : cases) {
    Bytes bytes = encode(sample());
    for (std::size_t i = 0; i < each.bytes; ++i) {
      bytes[each.at + i] = static_cast<char>(each.value >> 8 * i & 0xff);
    }
    EXPECT_EQ(code_of(with_checksum(bytes)), Code::corruption) << each.what;
  }
}

/// A machine with one store's folder on it.
class ManifestFiles : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.create_directory("engine")); }

  Result<> write(std::uint64_t generation) {
    return write_manifest(files_, "engine", sample(generation));
  }
  /// Generation of the one that is read; 0: none.
  std::uint64_t read() {
    said_.clear();
    const auto read = read_newest_manifest(files_, "engine", &said_);
    EXPECT_TRUE(read) << read.error().to_string();
    if (!read || !*read) return 0;
    EXPECT_EQ(**read, sample((*read)->generation));
    return (*read)->generation;
  }
  Error trouble() {
    const auto read = read_newest_manifest(files_, "engine", &said_);
    return read ? Error(Code::io, "no trouble") : read.error();
  }
  void damage(std::uint64_t generation) {
    ASSERT_TRUE(files_.flip_bit("engine/" + manifest_name(generation), 8 * 100));
  }
  void put(const std::string& name, BytesView bytes) {
    ASSERT_TRUE(io::write_file_atomically(files_, "engine/" + name, bytes));
  }
  std::set<std::string> names() {
    std::set<std::string> all;
    EXPECT_TRUE(files_.list_directory("engine", [&](std::string_view name, io::FileKind) {
      all.emplace(name);
      return true;
    }));
    return all;
  }

  base::SimClock clock_;
  io::SimFileSystem files_{1, clock_};
  std::string said_;
};

TEST_F(ManifestFiles, AnEmptyFolderHasNone) { EXPECT_EQ(read(), 0u); }

TEST_F(ManifestFiles, TheNewestIsReadAndTwoAreKept) {
  for (std::uint64_t i = 1; i <= 12; ++i) {
    ASSERT_TRUE(write(i));
    EXPECT_EQ(read(), i);
    EXPECT_EQ(said_, "");
  }
  EXPECT_EQ(names(), (std::set<std::string>{"MANIFEST-000000000011", "MANIFEST-000000000012"}));
  // Beyond twelve digits the order is still that of numbers.
  ASSERT_TRUE(write(999'999'999'999));
  ASSERT_TRUE(write(1'000'000'000'000));
  EXPECT_EQ(read(), 1'000'000'000'000u);
}

TEST_F(ManifestFiles, OtherFilesAreLeftAlone) {
  const std::set<std::string> others{"MANIFEST-", "MANIFEST-00000000000x", "MANIFEST-9",
                                     "MANIFEST-000000000009.old", "manifest-000000000009"};
  for (const std::string& name : others) put(name, "something");
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(write(i));
  EXPECT_EQ(read(), 3u);
  std::set<std::string> all = others;
  all.insert({manifest_name(2), manifest_name(3)});
  EXPECT_EQ(names(), all);
}

TEST_F(ManifestFiles, ADamagedOneIsPassedOverAndNamed) {
  ASSERT_TRUE(write(1));
  ASSERT_TRUE(write(2));
  damage(2);
  EXPECT_EQ(read(), 1u);
  EXPECT_EQ(said_,
            "'engine/MANIFEST-000000000002' is damaged: its checksum differs; "
            "'engine/MANIFEST-000000000001' is used in its place");
  EXPECT_TRUE(read_newest_manifest(files_, "engine", nullptr).value().has_value());
  // The next one takes its name.
  ASSERT_TRUE(write(2));
  EXPECT_EQ(read(), 2u);
  EXPECT_EQ(said_, "");
}

TEST_F(ManifestFiles, WhatWasNewerAndDamagedGoesWithTheNextOne) {
  ASSERT_TRUE(write(1));
  put(manifest_name(2), "damaged");
  put(manifest_name(3), "damaged, too");
  EXPECT_EQ(read(), 1u);
  EXPECT_THAT(said_, HasSubstr("MANIFEST-000000000003"));
  ASSERT_TRUE(write(2));
  EXPECT_EQ(names(), (std::set<std::string>{manifest_name(1), manifest_name(2)}));
  EXPECT_EQ(read(), 2u);
}

TEST_F(ManifestFiles, NoneThatIsWholeIsCorruption) {
  ASSERT_TRUE(write(1));
  ASSERT_TRUE(write(2));
  damage(1);
  damage(2);
  EXPECT_EQ(trouble().code(), Code::corruption);
  EXPECT_THAT(trouble().message(), HasSubstr("MANIFEST-000000000002"));
}

TEST_F(ManifestFiles, ACopyUnderAnotherNameIsNotBelieved) {
  ASSERT_TRUE(write(1));
  put(manifest_name(2), encode(sample(1)));
  EXPECT_EQ(read(), 1u);
  EXPECT_THAT(said_, HasSubstr("MANIFEST-000000000002"));
}

TEST_F(ManifestFiles, AHugeOneIsNotRead) {
  ASSERT_TRUE(write(1));
  const auto file = files_.open("engine/" + manifest_name(2), io::OpenMode::create_new);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->truncate(std::uint64_t{1} << 30));
  EXPECT_EQ(read(), 1u);
  EXPECT_THAT(said_, HasSubstr("longer than any manifest"));
}

// An older state must not come back silently where a later version has been at work.
TEST_F(ManifestFiles, ALaterVersionsIsNotPassedOver) {
  ASSERT_TRUE(write(1));
  Bytes later = encode(sample(2));
  later[8] = 2;
  put(manifest_name(2), with_checksum(later));
  EXPECT_EQ(trouble().code(), Code::not_supported);
}

TEST_F(ManifestFiles, ADeviceThatFailsIsNoDamage) {
  ASSERT_TRUE(write(1));
  ASSERT_TRUE(write(2));
  files_.inject({.call = io::SimCall::read, .path_contains = manifest_name(2)});
  EXPECT_EQ(trouble().code(), Code::io);
  EXPECT_EQ(read(), 2u);
}

TEST_F(ManifestFiles, WhatMayOnlyBeReadIsNotWrittenOver) {
  Manifest manifest = sample(1);
  manifest.read_only_compatible = 4;
  put(manifest_name(1), encode(manifest));
  ++manifest.generation;
  const Result<> written = write_manifest(files_, "engine", manifest);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Code::not_supported);
  EXPECT_EQ(names(), std::set<std::string>{manifest_name(1)});
}

TEST_F(ManifestFiles, AWriteThatFailsLeavesTheOldOne) {
  ASSERT_TRUE(write(1));
  for (const io::SimCall call : {io::SimCall::open, io::SimCall::write, io::SimCall::sync,
                                 io::SimCall::close, io::SimCall::rename}) {
    files_.inject({.call = call, .error_number = ENOSPC});
    const Result<> written = write(2);
    ASSERT_FALSE(written) << static_cast<int>(call);
    EXPECT_EQ(written.error().code(), Code::quota);
    EXPECT_EQ(read(), 1u);
    EXPECT_EQ(names(), std::set<std::string>{manifest_name(1)});
  }
  ASSERT_TRUE(write(2));
  EXPECT_EQ(read(), 2u);
}

TEST_F(ManifestFiles, WhatCannotBeRemovedGoesLater) {
  ASSERT_TRUE(write(1));
  ASSERT_TRUE(write(2));
  files_.inject({.call = io::SimCall::remove});
  ASSERT_TRUE(write(3));
  EXPECT_EQ(names().size(), 3u);
  ASSERT_TRUE(write(4));
  EXPECT_EQ(names(), (std::set<std::string>{manifest_name(3), manifest_name(4)}));
}

// Aim: at no moment does a loss of power leave less than the last manifest that was acknowledged.
// Method: power is lost before each call that changes something, with many disks.
TEST(ManifestPower, TheLastAcknowledgedOneSurvives) {
  std::set<std::uint64_t> found;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (std::uint64_t calls = 0; calls < 40; ++calls) {
      base::SimClock clock;
      io::SimFileSystem files(seed, clock);
      ASSERT_TRUE(io::create_directories(files, "engine"));
      std::uint64_t acknowledged = 0;
      files.crash_after(calls);
      for (std::uint64_t i = 1; i <= 5; ++i) {
        if (write_manifest(files, "engine", sample(i)) && !files.is_down()) acknowledged = i;
      }
      files.crash();
      const auto read = read_newest_manifest(files, "engine", nullptr);
      ASSERT_TRUE(read) << read.error().to_string();
      const std::uint64_t generation = *read ? (*read)->generation : 0;
      EXPECT_GE(generation, acknowledged) << "seed " << seed << ", call " << calls;
      if (*read) {
        EXPECT_EQ(**read, sample(generation));
      }
      found.insert(generation);
    }
  }
  EXPECT_EQ(found, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace strata::backends::hybridlog
