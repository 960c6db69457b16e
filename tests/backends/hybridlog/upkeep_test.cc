// What upkeep keeps bounded while a store is used for long.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "backends/hybridlog/open_for_test.h"
#include "io/folder_swap.h"
#include "io/posix_file_system.h"
#include "io/sim_file_system.h"
#include "io/temp_folder.h"
#include "strata/batch.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::backends::hybridlog {
namespace {

constexpr Keyspace kSpace{20};

class Upkeep : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_for_test({.files = files_,
                                 .clock = clock_,
                                 .folder = "store",
                                 .durability = Durability::interval,
                                 .interval_ms = 1000,
                                 .memory_bytes = 1},
                                {{"upkeep_thread", "false"}});
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = *std::move(opened);
    put("stays", "here");
  }
  void TearDown() override {
    if (engine_ == nullptr) return;
    EXPECT_TRUE(engine_->close());
  }
  void put(BytesView key, BytesView value) { ASSERT_TRUE(engine_->put({kSpace, key}, value)); }
  Bytes get(BytesView key) {
    Value value;
    const auto found = engine_->get({kSpace, key}, value, {});
    EXPECT_TRUE(found && *found);
    return value.to_bytes();
  }
  std::size_t segments() { return io::names_in(files_, "store/db/segments")->size(); }

  base::SimClock clock_;
  io::SimFileSystem files_{1, clock_};
  std::unique_ptr<Engine> engine_;
};

// One write a second, and so one checkpoint: each ends a segment with a single record in it.
TEST_F(Upkeep, ManyShortSegmentsBecomeFew) {
  std::size_t most = 0;
  for (int second = 0; second < 300; ++second) {
    put("counter", std::to_string(second));
    clock_.advance_ms(1000);
    const Result<Maintenance> done = engine_->maintain(100);
    ASSERT_TRUE(done) << done.error().to_string() << " in second " << second;
    most = std::max(most, segments());
  }
  EXPECT_LE(most, 64u);
  EXPECT_GE(most, 4u);
  EXPECT_EQ(get("stays"), "here");
  EXPECT_EQ(get("counter"), "299");
}

// Without compaction the holes behind the seals would fill the addresses that memory can hold.
TEST_F(Upkeep, SealsLetTheOldestFramesGo) {
  for (int i = 0; i < 60; ++i) {
    put("counter", std::to_string(i));
    const std::string folder = "copy" + std::to_string(i);
    ASSERT_TRUE(files_.create_directory(folder));
    const auto done = engine_->as<Persistence>()->checkpoint(folder);
    ASSERT_TRUE(done) << done.error().to_string() << " at checkpoint " << i;
  }
  EXPECT_GE(segments(), 60u);
  EXPECT_EQ(get("stays"), "here");
  EXPECT_EQ(get("counter"), "59");
}

// A store on a real disk, with the least memory that there is.
class Memory : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_for_test({.files = io::posix(),
                                 .clock = base::system_clock(),
                                 .folder = temp_.path(),
                                 .durability = Durability::none,
                                 .memory_bytes = 1},
                                {});
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = *std::move(opened);
  }
  void TearDown() override {
    if (engine_ == nullptr) return;
    EXPECT_TRUE(engine_->close());
  }

  const io::TempFolder temp_;
  std::unique_ptr<Engine> engine_;
};

// The log lies beyond the budget by far, and gives up frames for what the indexes need.
TEST_F(Memory, IsSharedByLogAndIndexes) {
  constexpr std::uint64_t kKeys = 80'000;
  const Bytes value(500, 'v');
  WriteBatch batch;
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    batch.put({kSpace, "key" + std::to_string(i)}, value);
    if (batch.effects().size() < 50) continue;
    const Result<Commit> done = engine_->commit(batch);
    ASSERT_TRUE(done) << done.error().to_string() << " at key " << i;
    batch.clear();
  }
  EXPECT_EQ(*engine_->count(kSpace), kKeys);
  const Stats stats = engine_->stats();
  EXPECT_LE(stats.bytes_memory, 18u << 20);
  EXPECT_GE(stats.bytes_disk, kKeys * value.size() * 3 / 4);
}

// Room that a batch took cannot be given back: one that needs several frames waits for all first.
TEST_F(Memory, BatchesOfSeveralFramesWasteNone) {
  const Bytes value(1000, 'v');
  WriteBatch batch;
  for (int round = 0; round < 40; ++round) {
    batch.clear();
    for (int i = 0; i < 1500; ++i) {
      batch.put({kSpace, std::to_string(round) + "-" + std::to_string(i)}, value);
    }
    const Result<Commit> done = engine_->commit(batch);
    ASSERT_TRUE(done) << done.error().to_string() << " in round " << round;
  }
  EXPECT_EQ(*engine_->count(kSpace), 60'000u);
  const Stats stats = engine_->stats();
  const auto amplification =
      std::ranges::find(stats.more, "space_amplification", &Stats::Figure::name);
  ASSERT_NE(amplification, stats.more.end());
  EXPECT_LT(amplification->value, 1.1);
}

// A key whose record found no room must not be known to the ordered index: it would be taken for
// one that was there when it is put again.
TEST(FullMemory, KeysThatFoundNoRoomAreNotCounted) {
  auto opened = open_for_test(
      {.files = io::posix(), .clock = base::system_clock(), .folder = "", .memory_bytes = 1}, {});
  ASSERT_TRUE(opened) << opened.error().to_string();
  Engine& engine = **opened;
  const Bytes value(20'000, 'v');
  std::uint64_t kept = 0;
  Result<Version> put = Version{};
  while (true) {
    put = engine.put({kSpace, "key" + std::to_string(kept)}, value);
    if (!put) break;
    ++kept;
  }
  EXPECT_EQ(put.error().code(), Code::quota);
  EXPECT_EQ(*engine.count(kSpace), kept);
  const Bytes refused = "key" + std::to_string(kept);
  for (std::uint64_t i = 0; i < kept; ++i) {
    ASSERT_TRUE(engine.remove({kSpace, "key" + std::to_string(i)})) << i;
  }
  EXPECT_EQ(*engine.count(kSpace), 0u);
  ASSERT_TRUE(engine.put({kSpace, refused}, value));
  EXPECT_EQ(*engine.count(kSpace), 1u);
  const Result<> whole = engine.check_invariants();
  EXPECT_TRUE(whole) << whole.error().to_string();
  EXPECT_TRUE(engine.close());
}

}  // namespace
}  // namespace strata::backends::hybridlog
