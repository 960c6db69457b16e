// What an ExtentStore keeps through full disks, failures, damage and loss of power, and what memory
// it takes.
#include "backends/hybridlog/extent_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "io/files.h"
#include "io/sim_file_system.h"

namespace strata::backends::hybridlog {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kBudget = 16 * kMiB;  // of which the cache has 2 MiB

Bytes value_of(std::uint64_t seed, std::size_t bytes = 100 * kKiB) {
  Bytes value(bytes, '\0');
  base::Random(seed).fill(value);
  return value;
}

/// A machine with one store on it.
class ExtentStoreTest : public testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void TearDown() override {
    store_.reset();
    EXPECT_EQ(budget_.used(), 0u);
  }
  /// As after a restart: what is cached is gone.
  void reopen(bool read_only = false) {
    store_.reset();
    auto opened = ExtentStore::open(files_, "store/extents", budget_, read_only);
    ASSERT_TRUE(opened) << opened.error().to_string();
    store_ = *std::move(opened);
  }
  ExtentRef write(BytesView value) {
    const auto ref = store_->write(value);
    EXPECT_TRUE(ref) << ref.error().to_string();
    return ref.value_or(ExtentRef{});
  }
  Bytes read(const ExtentRef& ref) {
    const auto share = store_->read(ref);
    EXPECT_TRUE(share) << share.error().to_string();
    return share ? **share : Bytes();
  }
  /// Of the read that must fail.
  std::string complaint(const ExtentRef& ref) {
    const auto share = store_->read(ref);
    if (share) return "no complaint";
    EXPECT_EQ(share.error().code(), Code::corruption);
    return share.error().to_string();
  }
  void restart_with(const std::set<std::uint64_t>& known) {
    reopen();
    const auto removed =
        store_->remove_unknown([&known](std::uint64_t id) { return known.contains(id); });
    ASSERT_TRUE(removed) << removed.error().to_string();
  }
  static std::string path_of(std::uint64_t id) {
    Bytes digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[id >> shift & 15];
    return "store/extents/" + digits.substr(14) + "/" + digits + ".ext";
  }
  bool exists(const std::string& path) { return files_.stat(path).value().has_value(); }

  base::SimClock clock_;
  io::SimFileSystem files_{7, clock_, {.capacity_bytes = 64 * kMiB}};
  MemoryBudget budget_{kBudget};
  std::unique_ptr<ExtentStore> store_;
};

TEST(ExtentRef, IsTwentyBytesAndNothingElse) {
  const ExtentRef ref{0x0102030405060708, 0x1112131415161718, 0x21222324};
  Bytes bytes;
  ref.encode(bytes);
  EXPECT_EQ(bytes, Bytes("\x08\x07\x06\x05\x04\x03\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11"
                         "\x24\x23\x22\x21"));
  EXPECT_EQ(ExtentRef::decode(bytes), ref);
  EXPECT_EQ(ExtentRef::decode(bytes + "x"), std::nullopt);
  for (std::size_t n = 0; n < kExtentRefBytes; ++n) {
    EXPECT_EQ(ExtentRef::decode(BytesView(bytes).substr(0, n)), std::nullopt);
  }
}

TEST_F(ExtentStoreTest, ReadsWhatItWrote) {
  std::vector<ExtentRef> refs;
  for (std::uint64_t i = 0; i < 300; ++i) refs.push_back(write(value_of(i, 100 + i)));
  refs.push_back(write(""));
  EXPECT_EQ(store_->count(), 301u);
  reopen();
  for (std::uint64_t i = 0; i < 300; ++i) EXPECT_EQ(read(refs[i]), value_of(i, 100 + i));
  EXPECT_EQ(read(refs[300]), "");
}

TEST_F(ExtentStoreTest, WritesTheFormatByteForByte) {
  const ExtentRef ref = write("bytes");
  Bytes expected("STRATAEX");
  base::put_u16_le(expected, 1);
  expected.append(6, '\0');
  base::put_u64_le(expected, ref.id);
  base::put_u64_le(expected, 5);
  base::put_u32_le(expected, base::crc32c("bytes"));
  expected.append(24, '\0');
  base::put_u32_le(expected, base::crc32c(expected));
  expected += "bytes";
  EXPECT_EQ(io::read_file(files_, path_of(ref.id)).value(), expected);
}

TEST_F(ExtentStoreTest, KeepsRecentOnesInMemoryWithinItsShare) {
  const ExtentRef first = write(value_of(0));
  ASSERT_NE(store_->cached(first), nullptr);
  for (std::uint64_t i = 1; i < 50; ++i) {
    write(value_of(i));
    EXPECT_NE(store_->cached(first), nullptr);  // used each time, so never the oldest
    ASSERT_LE(store_->bytes_memory(), kBudget / 8);
    ASSERT_EQ(store_->bytes_memory(), budget_.used());
  }
  const ExtentRef large = write(value_of(99, kBudget / 8));
  EXPECT_EQ(store_->cached(large), nullptr);
  EXPECT_EQ(read(large), value_of(99, kBudget / 8));
  EXPECT_EQ(store_->cached(large), nullptr);
  EXPECT_NE(store_->cached(first), nullptr);
  store_->shrink(kBudget);
  EXPECT_EQ(store_->cached(first), nullptr);
  EXPECT_EQ(budget_.used(), 0u);
  const auto read_again = store_->read(first);
  EXPECT_EQ(store_->cached(first), *read_again);
}

TEST_F(ExtentStoreTest, GoesOnWithoutMemory) {
  budget_.take(kBudget);
  const ExtentRef ref = write(value_of(1));
  EXPECT_EQ(store_->cached(ref), nullptr);
  {
    const auto share = store_->read(ref);
    EXPECT_EQ(**share, value_of(1));
    EXPECT_GT(store_->bytes_memory(), 100 * kKiB);  // honest about what a reader holds
    store_->shrink(kBudget);
    EXPECT_GT(store_->bytes_memory(), 100 * kKiB);
  }
  EXPECT_EQ(store_->bytes_memory(), 0u);
  budget_.give(kBudget);
}

TEST_F(ExtentStoreTest, SharesOutliveTheStore) {
  const auto share = store_->read(write(value_of(1)));
  store_.reset();
  EXPECT_EQ(budget_.used(), 0u);
  EXPECT_EQ(**share, value_of(1));
}

TEST_F(ExtentStoreTest, LeavesNothingOfAWriteThatFails) {
  files_.set_capacity_bytes(50 * kKiB);
  const auto full = store_->write(value_of(1));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), Code::quota);
  EXPECT_THAT(full.error().to_string(), HasSubstr(path_of(1)));
  EXPECT_FALSE(exists(path_of(1)));
  EXPECT_EQ(store_->count(), 0u);
  EXPECT_EQ(store_->bytes_disk(), 0u);
  files_.set_capacity_bytes(64 * kMiB);
  for (const io::SimCall call :
       {io::SimCall::create_directory, io::SimCall::open, io::SimCall::write, io::SimCall::close}) {
    files_.inject({.call = call, .path_contains = "extents/"});
    const std::uint64_t id = store_->next_id();
    EXPECT_FALSE(store_->write(value_of(1)));
    EXPECT_FALSE(exists(path_of(id)));
  }
  // A failed write ends nothing, and its number is not given again.
  const ExtentRef ref = write(value_of(2));
  EXPECT_EQ(ref.id, 6u);
  EXPECT_TRUE(store_->sync());
  reopen();
  EXPECT_EQ(read(ref), value_of(2));
}

TEST_F(ExtentStoreTest, ReportsEveryFlippedBit) {
  const ExtentRef ref = write(value_of(1, 500));
  for (std::uint64_t bit = 0; bit < (kExtentHeaderBytes + 500) * 8; bit += 3) {
    reopen();
    ASSERT_TRUE(files_.flip_bit(path_of(ref.id), bit));
    ASSERT_THAT(complaint(ref), HasSubstr(path_of(ref.id))) << bit;
    EXPECT_EQ(budget_.used(), 0u);
    ASSERT_TRUE(files_.flip_bit(path_of(ref.id), bit));
  }
  EXPECT_EQ(read(ref), value_of(1, 500));
}

TEST_F(ExtentStoreTest, ReportsAFileThatIsShorterLongerOrAnother) {
  const ExtentRef ref = write(value_of(1));
  const ExtentRef other = write(value_of(2));
  reopen();
  const auto file = files_.open(path_of(ref.id), io::OpenMode::read_write);
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{63}, 50 * kKiB, 200 * kKiB}) {
    ASSERT_TRUE((*file)->truncate(bytes));
    EXPECT_THAT(complaint(ref), HasSubstr(std::to_string(bytes) + " bytes instead of 102400"));
  }
  ASSERT_TRUE(files_.rename(path_of(other.id), path_of(ref.id)));
  EXPECT_THAT(complaint(ref), HasSubstr("this is another extent"));
  EXPECT_THAT(complaint(other), HasSubstr("the file is not there"));
}

TEST_F(ExtentStoreTest, RefusesAFormatItDoesNotKnow) {
  const ExtentRef ref = write("bytes");
  reopen();
  Bytes content = *io::read_file(files_, path_of(ref.id)).value();
  base::store_u16_le(content.data() + 8, 2);
  base::store_u32_le(content.data() + 60, base::crc32c(BytesView(content).substr(0, 60)));
  ASSERT_TRUE(io::write_file_atomically(files_, path_of(ref.id), content));
  EXPECT_THAT(complaint(ref), HasSubstr("unknown format 2"));
}

TEST_F(ExtentStoreTest, KeepsWhatWasSyncedThroughACrash) {
  std::set<std::uint64_t> known;
  std::vector<ExtentRef> refs;
  for (std::uint64_t i = 0; i < 40; ++i) refs.push_back(write(value_of(i, 3000)));
  store_->release(refs[3]);  // a log that is read again may name it still
  ASSERT_TRUE(store_->sync());
  for (const ExtentRef& ref : refs) known.insert(ref.id);
  files_.crash(io::CrashStyle::lose);
  restart_with(known);
  EXPECT_EQ(store_->count(), 40u);
  EXPECT_EQ(store_->bytes_disk(), 40 * (3000 + kExtentHeaderBytes));
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_EQ(read(refs[i]), value_of(i, 3000));
}

TEST_F(ExtentStoreTest, MayLoseButNeverGarbleWhatWasNotSynced) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const ExtentRef ref = write(value_of(seed, 5000));
    files_.crash(io::CrashStyle::random);
    reopen();
    const auto share = store_->read(ref);
    if (share) {
      EXPECT_EQ(**share, value_of(seed, 5000));
    } else {
      EXPECT_EQ(share.error().code(), Code::corruption);
    }
    // Nobody names it, so that it goes.
    restart_with({});
    EXPECT_FALSE(exists(path_of(ref.id)));
    store_->set_next_id(ref.id + 1);
  }
  files_.crash(io::CrashStyle::lose);
  restart_with({});
}

TEST_F(ExtentStoreTest, AnyCrashInAWriteOrSyncLeavesAStoreThatGoesOn) {
  // Aim: whatever call is the last one, what an earlier sync covered is whole, and new numbers
  // never meet an old file.
  std::set<std::uint64_t> known;
  std::vector<std::pair<ExtentRef, Bytes>> durable;
  for (std::uint64_t calls = 0; calls < 24; ++calls) {
    files_.crash_after(calls);
    std::vector<std::pair<ExtentRef, Bytes>> unsynced;
    for (std::uint64_t i = 0; i < 3; ++i) {
      const Bytes value = value_of(calls * 10 + i, 2000);
      const auto ref = store_->write(value);
      if (ref) unsynced.emplace_back(*ref, value);
    }
    if (store_->sync()) {
      for (const auto& [ref, value] : unsynced) known.insert(ref.id);
      durable.insert(durable.end(), unsynced.begin(), unsynced.end());
    }
    files_.crash();
    restart_with(known);
    EXPECT_EQ(store_->count(), known.size());
    for (const auto& [ref, value] : durable) ASSERT_EQ(read(ref), value);
  }
  EXPECT_GT(durable.size(), 3u);
  EXPECT_LT(durable.size(), 72u);
}

TEST_F(ExtentStoreTest, AFailedSyncIsFinal) {
  const ExtentRef ref = write(value_of(1));
  files_.inject({.call = io::SimCall::sync, .path_contains = ".ext"});
  const auto failed = store_->sync();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().to_string(), HasSubstr(path_of(ref.id)));
  EXPECT_EQ(store_->sync().error().to_string(), failed.error().to_string());
  EXPECT_EQ(store_->write("x").error().to_string(), failed.error().to_string());
  EXPECT_EQ(read(ref), value_of(1));
}

TEST_F(ExtentStoreTest, UnlinksTheDeadUpToTheMark) {
  std::vector<ExtentRef> refs;
  for (std::uint64_t i = 0; i < 4; ++i) refs.push_back(write(value_of(i, 1000)));
  store_->release(refs[0]);
  store_->release(refs[2]);
  EXPECT_EQ(store_->count(), 2u);
  EXPECT_EQ(store_->cached(refs[0]), nullptr);
  const std::size_t mark = store_->dead_mark();
  store_->release(refs[1]);
  EXPECT_EQ(store_->bytes_disk(), 4 * (1000 + kExtentHeaderBytes));
  EXPECT_EQ(read(refs[0]), value_of(0, 1000));  // who saw it before may still come

  files_.inject({.call = io::SimCall::remove, .path_contains = path_of(refs[2].id)});
  EXPECT_FALSE(store_->drop_dead(mark));
  EXPECT_FALSE(exists(path_of(refs[0].id)));
  EXPECT_TRUE(exists(path_of(refs[2].id)));
  EXPECT_TRUE(store_->drop_dead(mark));
  EXPECT_FALSE(exists(path_of(refs[2].id)));
  EXPECT_TRUE(exists(path_of(refs[1].id)));
  EXPECT_EQ(store_->bytes_disk(), 2 * (1000 + kExtentHeaderBytes));
  EXPECT_TRUE(store_->drop_dead(mark));
  EXPECT_TRUE(exists(path_of(refs[1].id)));
  EXPECT_TRUE(store_->sync());  // what was dropped before its sync is no failure
  EXPECT_TRUE(store_->drop_dead(store_->dead_mark()));
  EXPECT_FALSE(exists(path_of(refs[1].id)));
  EXPECT_EQ(read(refs[3]), value_of(3, 1000));
}

TEST_F(ExtentStoreTest, RemovesWhatIsNotKnownAndNothingOfOthers) {
  const ExtentRef kept = write(value_of(1));
  const ExtentRef unknown = write(value_of(2));
  const std::vector<std::string> gone = {"store/extents/01/half.tmp", path_of(0x401),
                                         "store/extents/01/0000000000000002.ext"};
  const std::vector<std::string> foreign = {"store/extents/01/notes.txt",
                                            "store/extents/01/00000000000000AB.ext",
                                            "store/extents/01/1.ext"};
  for (const std::string& path : gone) ASSERT_TRUE(io::write_file_atomically(files_, path, "x"));
  for (const std::string& path : foreign) ASSERT_TRUE(io::write_file_atomically(files_, path, "x"));

  reopen(true);
  const auto known = [&](std::uint64_t id) { return id == kept.id; };
  ASSERT_TRUE(store_->remove_unknown(known));
  EXPECT_EQ(store_->count(), 1u);
  EXPECT_TRUE(exists(path_of(unknown.id)));
  EXPECT_EQ(store_->write("x").error().code(), Code::not_supported);
  EXPECT_EQ(read(kept), value_of(1));

  restart_with({kept.id});
  EXPECT_TRUE(exists(path_of(kept.id)));
  EXPECT_FALSE(exists(path_of(unknown.id)));
  for (const std::string& path : gone) EXPECT_FALSE(exists(path)) << path;
  for (const std::string& path : foreign) EXPECT_TRUE(exists(path)) << path;
  EXPECT_EQ(store_->next_id(), 0x402u);
  store_->set_next_id(5);
  EXPECT_EQ(store_->next_id(), 0x402u);
  store_->set_next_id(0x1000);
  EXPECT_EQ(write("x").id, 0x1000u);
}

TEST_F(ExtentStoreTest, LivesInMemoryWithoutAFolder) {
  const std::uint64_t before = files_.mutating_calls();
  const auto store = *ExtentStore::open(files_, "", budget_, false);
  const ExtentRef kept = *store->write(value_of(1, 10 * kMiB));
  EXPECT_EQ(store->bytes_memory(), budget_.used());
  const auto refused = store->write(value_of(2, 7 * kMiB));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::quota);
  EXPECT_EQ(store->count(), 1u);
  const ExtentRef released = *store->write(value_of(3, 5 * kMiB));
  store->shrink(kBudget);  // nothing here is a copy of what lies elsewhere
  EXPECT_EQ(**store->read(kept), value_of(1, 10 * kMiB));
  EXPECT_TRUE(store->sync());
  store->release(released);
  EXPECT_TRUE(store->drop_dead(store->dead_mark()));
  EXPECT_EQ(store->cached(released), nullptr);
  EXPECT_FALSE(store->read(released));
  EXPECT_TRUE(store->write(value_of(2, 5 * kMiB)));
  EXPECT_EQ(store->bytes_disk(), 0u);
  EXPECT_EQ(files_.mutating_calls(), before);
}

TEST_F(ExtentStoreTest, ServesManyThreads) {
  constexpr std::uint64_t kEach = 60;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t, &wrong] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const Bytes value = value_of(t * kEach + i, 20'000);
        const auto ref = store_->write(value);
        const auto share = ref ? store_->read(*ref) : Result<std::shared_ptr<const Bytes>>(nullptr);
        if (!share || *share == nullptr || **share != value) ++wrong;
        if (i % 8 == t && !store_->sync()) ++wrong;
        if (i % 16 == t) store_->shrink(100'000);
        if (ref && i % 2 == 0) store_->release(*ref);
        if (t == 0 && i % 10 == 9 && !store_->drop_dead(store_->dead_mark())) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(store_->count(), 4 * kEach / 2);
  EXPECT_EQ(store_->next_id(), 4 * kEach + 1);
  EXPECT_TRUE(store_->drop_dead(store_->dead_mark()));
  EXPECT_EQ(store_->bytes_disk(), 4 * kEach / 2 * (20'000 + kExtentHeaderBytes));
  EXPECT_EQ(store_->bytes_memory(), budget_.used());
}

}  // namespace
}  // namespace strata::backends::hybridlog
