// What is RocksDB's own: files, restarts, expiry index, counts, pool.
#include "backends/rocksdb/rocksdb_engine.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include "backends/engine_fixture.h"
#include "base/random.h"

namespace strata::backends::rocksdb {
namespace {

Settings small_settings() {
  Settings settings;
  settings.cache_bytes = 8 << 20;
  settings.write_buffer_bytes = 4 << 20;
  settings.compression = "lz4";
  settings.background_jobs = 2;
  settings.open_files = -1;
  settings.read_threads = 2;
  return settings;
}

class RocksdbTest : public EngineTest {
 protected:
  void SetUp() override { open(); }

  void open() {
    auto opened = RocksdbEngine::open(small_settings(), environment());
    STRATA_OK(opened);
    engine_ = *std::move(opened);
  }
  void reopen() {
    STRATA_OK(engine_->close());
    engine_.reset();
    open();
  }
  void put(BytesView key, BytesView value, std::int64_t expires_ms = kNeverExpires) {
    RecordAttributes attributes;
    attributes.expires_ms = expires_ms;
    STRATA_OK(engine_->put(at(key), value, attributes));
  }

  std::unique_ptr<RocksdbEngine> engine_;
};

TEST_F(RocksdbTest, KeepsRecordsCountsAndRisingVersionsOverReopening) {
  Version last;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) {
      const auto version = engine_->put(at("key" + std::to_string(i)), std::to_string(round));
      STRATA_OK(version);
      EXPECT_GT(*version, last);
      last = *version;
    }
    reopen();
    EXPECT_EQ(count(*engine_), 100u);
    EXPECT_EQ(get(*engine_, "key42"), std::to_string(round));
  }
}

TEST_F(RocksdbTest, CountsStayExactUnderRandomBatches) {
  constexpr std::uint64_t kSeed = 4711;
  SCOPED_TRACE(kSeed);
  base::Random random(kSeed);
  WriteBatch batch;
  for (int round = 0; round < 200; ++round) {
    batch.clear();
    for (std::uint64_t n = random.between(1, 8); n > 0; --n) {
      const Bytes key = std::to_string(random.uniform(60));
      switch (random.uniform(5)) {
        case 0:
          batch.remove(at(key));
          break;
        case 1:
          batch.append(at(key), "x");
          break;
        case 2:
          batch.expire(at(key), clock_.wall_ms() + 5 + static_cast<int>(random.uniform(50)));
          break;
        case 3:
          if (random.one_in(4)) batch.delete_range(kSpace, key, key + "5");
          break;
        default:
          batch.put(at(key), "value");
          break;
      }
    }
    STRATA_OK(engine_->commit(batch, {}));
    clock_.advance_ms(1);
    if (round % 7 == 0) STRATA_OK(engine_->maintain(static_cast<std::uint32_t>(random.uniform(5))));
    if (round % 50 == 0) reopen();
    ASSERT_EQ(count(*engine_), keys(*engine_, Range::all(kSpace)).size()) << round;
  }
}

TEST_F(RocksdbTest, SweepsWhatExpiredAndCountsItNowhere) {
  for (int i = 0; i < 300; ++i) put("k" + std::to_string(i), "v", clock_.wall_ms() + 1000);
  put("stays", "v");
  EXPECT_EQ(count(*engine_), 301u);
  clock_.advance_ms(1000);
  EXPECT_EQ(count(*engine_), 1u);
  EXPECT_EQ(get(*engine_, "k7"), std::nullopt);
  const auto first = engine_->maintain(100);
  STRATA_OK(first);
  EXPECT_EQ(first->expired, 100u);
  EXPECT_TRUE(first->more);
  EXPECT_EQ(count(*engine_), 1u);
  reopen();
  const auto second = engine_->maintain(1000);
  STRATA_OK(second);
  EXPECT_EQ(second->expired, 200u);
  EXPECT_FALSE(second->more);
  EXPECT_EQ(count(*engine_), 1u);
}

TEST_F(RocksdbTest, CommitsSweepALittleByThemselves) {
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(i), "v", clock_.wall_ms() + 10);
  clock_.advance_ms(10);
  for (int i = 0; i < 10; ++i) put("other", "v");
  const auto rest = engine_->maintain(1000);
  STRATA_OK(rest);
  EXPECT_EQ(rest->expired, 0u);
}

TEST_F(RocksdbTest, ARemovedRangeLeavesNoTraceInCountsOrSweeps) {
  for (int i = 0; i < 400; ++i) put("k" + std::to_string(1000 + i), "v", clock_.wall_ms() + 10);
  WriteBatch batch;
  batch.delete_range(kSpace, "k1000", "k1300");
  batch.delete_range(kSpace, "k1200", "k1310");
  batch.put(at("k1005"), "again");
  STRATA_OK(engine_->commit(batch, {}));
  EXPECT_EQ(count(*engine_), 91u);
  EXPECT_EQ(keys(*engine_, Range::all(kSpace)).size(), 91u);
  clock_.advance_ms(10);
  EXPECT_EQ(count(*engine_), 1u);
  STRATA_OK(engine_->maintain(10000));
  EXPECT_EQ(get(*engine_, "k1005"), "again");
  reopen();
  EXPECT_EQ(count(*engine_), 1u);
}

TEST_F(RocksdbTest, ASnapshotSeesExactlyTheVersionsUpToItsOwn) {
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; !done.load(std::memory_order_relaxed); ++i) {
        EXPECT_TRUE(engine_->put(at(std::to_string(w) + std::to_string(i % 50)), "v").has_value());
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    auto snapshot = engine_->snapshot();
    STRATA_OK(snapshot);
    ScanOptions options;
    options.at = snapshot->get();
    std::vector<std::pair<Bytes, Version>> first;
    STRATA_OK(for_each(*engine_, Range::all(kSpace), options, [&](const ScanEntry& entry) {
      EXPECT_LE(entry.info.version, (*snapshot)->version());
      first.emplace_back(entry.key, entry.info.version);
      return true;
    }));
    // What is newer at present was written later.
    for (const auto& [key, version] : first) {
      Value value;
      const auto now = engine_->get(at(key), value);
      STRATA_OK(now);
      ASSERT_TRUE(now->has_value());
      if ((*now)->version != version) {
        EXPECT_GT((*now)->version, (*snapshot)->version());
      }
    }
  }
  done.store(true, std::memory_order_relaxed);
  for (std::thread& writer : writers) writer.join();
}

TEST_F(RocksdbTest, SnapshotsMayOutliveClose) {
  put("k", "v");
  auto snapshot = engine_->snapshot();
  STRATA_OK(snapshot);
  STRATA_OK(engine_->close());
  Value value;
  EXPECT_EQ(code_of(engine_->get(at("k"), value)), Code::closed);
  EXPECT_EQ(code_of(engine_->put(at("k"), "v")), Code::closed);
  snapshot->reset();
}

TEST_F(RocksdbTest, APinnedValueOutlivesOverwritingAndClose) {
  const Bytes large(300'000, 'x');
  put("large", large);
  reopen();  // so that it comes from a file
  Value value;
  STRATA_OK(engine_->get(at("large"), value));
  put("large", "other");
  STRATA_OK(engine_->compact());
  STRATA_OK(engine_->close());
  EXPECT_EQ(value.view(), large);
}

TEST_F(RocksdbTest, ASecondOpeningIsRefusedAsBusy) {
  EXPECT_EQ(code_of(RocksdbEngine::open(small_settings(), environment())), Code::busy);
}

TEST_F(RocksdbTest, ReadOnlyReadsAndRefusesWrites) {
  put("k", "v");
  STRATA_OK(engine_->close());
  Settings settings = small_settings();
  settings.read_only = true;
  auto reader = RocksdbEngine::open(settings, environment(true));
  STRATA_OK(reader);
  EXPECT_EQ(get(**reader, "k"), "v");
  EXPECT_EQ(count(**reader), 1u);
  EXPECT_EQ(code_of((*reader)->put(at("k"), "w")), Code::not_supported);
  // Others may read, too, at the same time.
  STRATA_OK(RocksdbEngine::open(settings, environment(true)));
}

TEST_F(RocksdbTest, WhatIsNoStoreIsRefused) {
  Settings settings = small_settings();
  settings.create = false;
  Environment elsewhere = environment();
  elsewhere.folder = folder_.path() + "/absent";
  EXPECT_FALSE(RocksdbEngine::open(settings, elsewhere).has_value());
}

class Told final : public ReadCompletion {
 public:
  void complete(Result<> result) noexcept override {
    thread = std::this_thread::get_id();
    good = result.has_value();
    done.store(true, std::memory_order_release);
    done.notify_all();
  }
  std::atomic<bool> done{false};
  std::thread::id thread;
  bool good = false;
};

TEST_F(RocksdbTest, AReadFromMemoryIsAnsweredAtOnceAndOneFromTheDeviceByThePool) {
  for (int i = 0; i < 1000; ++i) put("k" + std::to_string(i), Bytes(1000, 'v'));
  std::vector<Read> reads(2);
  reads[0].key = at("k7");
  reads[1].key = at("k500");
  Told first;
  const auto at_once = engine_->start_mget(reads, {}, first);
  ASSERT_TRUE(at_once.has_value());  // from the memtable
  STRATA_OK(*at_once);

  reopen();  // nothing is cached now
  Told second;
  const auto waiting = engine_->start_mget(reads, {}, second);
  ASSERT_FALSE(waiting.has_value()) << (*waiting ? "answered" : waiting->error().to_string());
  second.done.wait(false, std::memory_order_acquire);
  EXPECT_TRUE(second.good);
  EXPECT_NE(second.thread, std::this_thread::get_id());
  EXPECT_EQ(reads[0].value.size(), 1000u);
  ASSERT_TRUE(reads[1].info.has_value());

  // Cached now, unless a compaction wrote the blocks anew in between: then they are read again.
  bool at_once_again = false;
  for (int i = 0; i < 100 && !at_once_again; ++i) {
    Told told;
    at_once_again = engine_->start_mget(reads, {}, told).has_value();
    if (!at_once_again) told.done.wait(false, std::memory_order_acquire);
  }
  EXPECT_TRUE(at_once_again);
}

TEST_F(RocksdbTest, ACheckpointOpensAsAStoreAndRestores) {
  put("a", "1");
  put("gone", "1", clock_.wall_ms() + 10);
  const std::string folder = folder_.path() + "/checkpoint";
  const auto made = engine_->checkpoint(folder);
  STRATA_OK(made);
  EXPECT_GT(made->bytes, 0u);
  EXPECT_EQ(code_of(engine_->checkpoint(folder)), Code::invalid_argument);  // not empty
  put("a", "2");
  put("b", "2");
  const auto before = engine_->put(at("c"), "2");
  STRATA_OK(before);
  EXPECT_GE(before->value, made->version.value);

  auto held = engine_->snapshot();
  STRATA_OK(held);
  EXPECT_EQ(code_of(engine_->restore(folder)), Code::busy);
  held->reset();
  STRATA_OK(engine_->restore(folder));
  EXPECT_EQ(get(*engine_, "a"), "1");
  EXPECT_EQ(get(*engine_, "b"), std::nullopt);
  EXPECT_EQ(count(*engine_), 2u);
  const auto after = engine_->put(at("c"), "3");
  STRATA_OK(after);
  EXPECT_GT(*after, *before);
  reopen();
  EXPECT_EQ(get(*engine_, "c"), "3");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/db.old"));

  Environment copy = environment();
  copy.folder = folder;
  auto opened = RocksdbEngine::open(small_settings(), copy);
  STRATA_OK(opened);
  EXPECT_EQ(get(**opened, "a"), "1");
}

TEST_F(RocksdbTest, ARestoreFromNothingLeavesTheStoreAsItWas) {
  put("a", "1");
  EXPECT_FALSE(engine_->restore(folder_.path() + "/nowhere").has_value());
  EXPECT_EQ(get(*engine_, "a"), "1");
  put("a", "2");
  EXPECT_EQ(count(*engine_), 1u);
}

TEST_F(RocksdbTest, ARestoreThatACrashCutShortIsTakenBack) {
  put("a", "1");
  STRATA_OK(engine_->close());
  engine_.reset();
  std::filesystem::rename(folder_.path() + "/db", folder_.path() + "/db.old");
  std::filesystem::create_directory(folder_.path() + "/db.new");
  open();
  EXPECT_EQ(get(*engine_, "a"), "1");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/db.new"));
}

TEST_F(RocksdbTest, UpdatesOfOneKeyFromManyThreadsLoseNothing) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const auto done =
            engine_->update(at("n"), [](const Current& now, Update& next) -> Result<> {
              next.action = Update::Action::put;
              next.value = std::to_string(std::stoi("0" + Bytes(now.value)) + 1);
              return {};
            });
        EXPECT_TRUE(done.has_value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(get(*engine_, "n"), "800");
}

}  // namespace
}  // namespace strata::backends::rocksdb
