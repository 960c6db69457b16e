// What is LMDB's own: the map and its growth, long keys, checksums, commits in groups, restarts.
#include "backends/lmdb/lmdb_engine.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "backends/engine_fixture.h"
#include "base/random.h"

namespace strata::backends::lmdb {
namespace {

Settings small_settings() {
  Settings settings;
  settings.map_bytes = 1 << 20;
  settings.readers = 64;
  return settings;
}

class LmdbTest : public EngineTest {
 protected:
  void SetUp() override { open(); }

  void open() {
    auto opened = LmdbEngine::open(small_settings(), environment());
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

  std::unique_ptr<LmdbEngine> engine_;
};

TEST_F(LmdbTest, KeepsRecordsCountsAndRisingVersionsOverReopening) {
  Version last;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      const auto version = engine_->put(at("key" + std::to_string(i)), std::to_string(round));
      STRATA_OK(version);
      EXPECT_GT(*version, last);
      last = *version;
    }
    reopen();
    EXPECT_EQ(count(*engine_), 50u);
    EXPECT_EQ(get(*engine_, "key42"), std::to_string(round));
  }
}

TEST_F(LmdbTest, TheMapGrowsByItselfUnderValuesBeyondIt) {
  const Bytes large(5 << 20, 'x');  // five times the map
  put("large", large);
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(i), Bytes(200'000, 'y'));
  EXPECT_EQ(get(*engine_, "large"), large);
  reopen();
  EXPECT_EQ(get(*engine_, "large"), large);
  EXPECT_EQ(count(*engine_), 21u);
}

// RssFile of this process: pages of mapped files that count as its memory.
std::uint64_t resident_file_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("RssFile:")) return std::stoull(line.substr(8)) * 1024;
  }
  ADD_FAILURE() << "/proc/self/status has no RssFile";
  return 0;
}

TEST_F(LmdbTest, NeitherWritingNorScanningFillsTheMemoryWithPagesOfTheMap) {
  constexpr int kRecords = 1200;
  const Bytes value(100'000, 'v');
  const std::uint64_t before = resident_file_bytes();
  std::uint64_t most = 0;
  for (int i = 0; i < kRecords; ++i) {
    put(std::to_string(i), value);
    most = std::max(most, resident_file_bytes());
  }
  const auto snapshot = engine_->snapshot();
  STRATA_OK(snapshot);
  ScanOptions options;
  options.at = snapshot->get();
  options.page_records = 10;
  ScanPage page;
  Range rest = Range::all(kSpace);
  int seen = 0;
  do {
    STRATA_OK(engine_->scan(rest, options, page));
    for (std::size_t i = 0; i < page.size(); ++i) EXPECT_TRUE(page[i].value == value);
    seen += static_cast<int>(page.size());
    most = std::max(most, resident_file_bytes());
    rest.begin = Bytes(page[page.size() - 1].key) + Bytes(1, '\0');
  } while (page.more());
  EXPECT_EQ(seen, kRecords);
  // 120 MB were written and read; what was touched since the last letting go may be there.
  EXPECT_LT(most, before + ResidentPages::kTouchedBytesMax * 2);
}

// Neighbours in key order lie far from one another in the file: each maps pages of its own.
TEST_F(LmdbTest, NorDoShortRecordsThatWereWrittenInNoOrder) {
  constexpr int kRecords = 60'000;
  const Bytes value(1500, 'v');
  const std::uint64_t before = resident_file_bytes();
  std::uint64_t most = 0;
  base::Random random(4);
  WriteBatch batch;
  for (int i = 0; i < kRecords; ++i) {
    batch.put(at(random.bytes(12)), value);
    if (batch.effects().size() < 1000) continue;
    STRATA_OK(engine_->commit(batch, {}));
    batch.clear();
    most = std::max(most, resident_file_bytes());
  }
  ScanOptions options;
  options.page_records = 1000;
  ScanPage page;
  Range rest = Range::all(kSpace);
  int seen = 0;
  do {
    STRATA_OK(engine_->scan(rest, options, page));
    seen += static_cast<int>(page.size());
    most = std::max(most, resident_file_bytes());
    rest.begin = Bytes(page[page.size() - 1].key) + Bytes(1, '\0');
  } while (page.more());
  EXPECT_EQ(seen, kRecords);
  EXPECT_LT(most, before + ResidentPages::kTouchedBytesMax * 2);
}

TEST_F(LmdbTest, TheMapGrowsWhileOthersReadAndWrite) {
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  put("steady", "value");
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!done.load(std::memory_order_relaxed)) {
        EXPECT_EQ(get(*engine_, "steady"), "value");
      }
    });
  }
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 40; ++i) {
        const Bytes key = std::to_string(w) + "/" + std::to_string(i);
        EXPECT_TRUE(engine_->put(at(key), Bytes(100'000, 'v')).has_value());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done.store(true, std::memory_order_relaxed);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(count(*engine_), 81u);
}

TEST_F(LmdbTest, AFullMapUnderASnapshotIsBusyAndNothingIsLost) {
  put("before", "v");
  auto snapshot = engine_->snapshot();
  STRATA_OK(snapshot);
  EXPECT_EQ(code_of(engine_->put(at("large"), Bytes(5 << 20, 'x'))), Code::busy);
  EXPECT_EQ(get(*engine_, "before"), "v");
  EXPECT_EQ(get(*engine_, "large"), std::nullopt);
  snapshot->reset();
  put("large", Bytes(5 << 20, 'x'));
  EXPECT_EQ(count(*engine_), 2u);
}

TEST_F(LmdbTest, KeysOfAnyLengthScanInTheirOrderBothWays) {
  constexpr std::uint64_t kSeed = 31;
  SCOPED_TRACE(kSeed);
  base::Random random(kSeed);
  std::vector<Bytes> all = {Bytes(), Bytes(483, 'a'), Bytes(484, 'a'), Bytes(65536, 'a')};
  for (int i = 0; i < 60; ++i) {
    // Most share the 487 bytes that are stored.
    Bytes key(random.one_in(4) ? random.uniform(500) : 483 + random.uniform(4), 'a');
    key += random.bytes(random.uniform(3));
    all.push_back(std::move(key));
  }
  for (const Bytes& key : all) put(key, "v" + std::to_string(key.size()));
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  EXPECT_EQ(count(*engine_), all.size());
  ScanOptions options;
  options.page_records = 3;
  EXPECT_EQ(keys(*engine_, Range::all(kSpace), options), all);
  options.reverse = true;
  std::vector<Bytes> backward = keys(*engine_, Range::all(kSpace), options);
  std::ranges::reverse(backward);
  EXPECT_EQ(backward, all);
  for (std::size_t i = 0; i < all.size(); i += 5) {
    for (std::size_t j = i; j < all.size(); j += 7) {
      if (all[j].empty()) continue;
      for (const bool reverse : {false, true}) {
        options.reverse = reverse;
        std::vector<Bytes> some = keys(*engine_, Range{kSpace, all[i], all[j]}, options);
        if (reverse) std::ranges::reverse(some);
        EXPECT_EQ(some, std::vector<Bytes>(all.begin() + static_cast<std::ptrdiff_t>(i),
                                           all.begin() + static_cast<std::ptrdiff_t>(j)));
      }
    }
  }
  for (const Bytes& key : all) EXPECT_EQ(get(*engine_, key), "v" + std::to_string(key.size()));
  WriteBatch batch;
  batch.delete_range(kSpace, all[10], all[20]);
  STRATA_OK(engine_->commit(batch, {}));
  all.erase(all.begin() + 10, all.begin() + 20);
  options.reverse = false;
  EXPECT_EQ(keys(*engine_, Range::all(kSpace), options), all);
  EXPECT_EQ(count(*engine_), all.size());
}

TEST_F(LmdbTest, CountsStayExactUnderRandomBatches) {
  constexpr std::uint64_t kSeed = 815;
  SCOPED_TRACE(kSeed);
  base::Random random(kSeed);
  WriteBatch batch;
  for (int round = 0; round < 200; ++round) {
    batch.clear();
    for (std::uint64_t n = random.between(1, 8); n > 0; --n) {
      const Bytes key = std::to_string(random.uniform(60)) + Bytes(random.one_in(3) ? 600 : 0, 'k');
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

TEST_F(LmdbTest, SweepsWhatExpiredAndCountsItNowhere) {
  WriteBatch batch;
  RecordAttributes attributes;
  attributes.expires_ms = clock_.wall_ms() + 1000;
  for (int i = 0; i < 300; ++i) batch.put(at("k" + std::to_string(i)), "v", attributes);
  STRATA_OK(engine_->commit(batch, {}));
  put("stays", "v");
  clock_.advance_ms(1000);
  EXPECT_EQ(count(*engine_), 1u);
  const auto first = engine_->maintain(100);
  STRATA_OK(first);
  EXPECT_EQ(first->expired, 100u);
  EXPECT_TRUE(first->more);
  put("stays", "w");  // sweeps a few more
  reopen();
  const auto second = engine_->maintain(1000);
  STRATA_OK(second);
  EXPECT_EQ(second->expired, 196u);
  EXPECT_FALSE(second->more);
  EXPECT_EQ(count(*engine_), 1u);
}

TEST_F(LmdbTest, AFlippedBitInTheFileIsCorruptionAndNeverAnAnswer) {
  const Bytes value(3000, 'z');
  put("damaged", value);
  STRATA_OK(engine_->close());
  engine_.reset();
  const std::string path = folder_.path() + "/db/data.mdb";
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
  const std::size_t found = bytes.find(value);
  ASSERT_NE(found, Bytes::npos);
  file.seekp(static_cast<std::streamoff>(found + 1000));
  file.put('Z');
  file.close();
  open();
  Value read;
  EXPECT_EQ(code_of(engine_->get(at("damaged"), read)), Code::corruption);
}

TEST_F(LmdbTest, OneThatFailsInAGroupFailsAlone) {
  // Many threads, so that commits share transactions; a patch beyond the limit fails its own only.
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        WriteBatch batch;
        batch.put(at(std::to_string(t) + "/" + std::to_string(i)), "v");
        if (i % 5 == 0) batch.patch(at("far"), kValueBytesMax, 0, "beyond");
        const auto done = engine_->commit(batch, {});
        EXPECT_EQ(done.has_value(), i % 5 != 0);
        if (!done) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed.load(), 24);
  EXPECT_EQ(count(*engine_), 96u);
}

TEST_F(LmdbTest, ASecondOpeningIsRefusedAsBusy) {
  EXPECT_EQ(code_of(LmdbEngine::open(small_settings(), environment())), Code::busy);
}

TEST_F(LmdbTest, ReadOnlyReadsAndRefusesWrites) {
  put("k", "v");
  STRATA_OK(engine_->close());
  Settings settings = small_settings();
  settings.read_only = true;
  auto reader = LmdbEngine::open(settings, environment(true));
  STRATA_OK(reader);
  EXPECT_EQ(get(**reader, "k"), "v");
  EXPECT_EQ(code_of((*reader)->put(at("k"), "w")), Code::not_supported);
}

TEST_F(LmdbTest, SnapshotsKeepTheirViewAndMayOutliveClose) {
  put("k", "v");
  auto snapshot = engine_->snapshot();
  STRATA_OK(snapshot);
  put("k", "w");
  EXPECT_EQ(get(*engine_, "k", snapshot->get()), "v");
  EXPECT_EQ(get(*engine_, "k"), "w");
  STRATA_OK(engine_->close());
  Value value;
  EXPECT_EQ(code_of(engine_->get(at("k"), value)), Code::closed);
  snapshot->reset();
}

TEST_F(LmdbTest, ACheckpointOpensAsAStoreAndRestores) {
  put("a", "1");
  const std::string folder = folder_.path() + "/checkpoint";
  const auto made = engine_->checkpoint(folder);
  STRATA_OK(made);
  EXPECT_GT(made->bytes, 0u);
  EXPECT_EQ(code_of(engine_->checkpoint(folder)), Code::invalid_argument);  // not empty
  put("a", "2");
  const auto before = engine_->put(at("b"), "2");
  STRATA_OK(before);
  EXPECT_GT(*before, made->version);
  STRATA_OK(engine_->restore(folder));
  EXPECT_EQ(get(*engine_, "a"), "1");
  EXPECT_EQ(get(*engine_, "b"), std::nullopt);
  EXPECT_EQ(count(*engine_), 1u);
  const auto after = engine_->put(at("c"), "3");
  STRATA_OK(after);
  EXPECT_GT(*after, *before);
  reopen();
  EXPECT_EQ(get(*engine_, "c"), "3");

  Environment copy = environment();
  copy.folder = folder;
  auto opened = LmdbEngine::open(small_settings(), copy);
  STRATA_OK(opened);
  EXPECT_EQ(get(**opened, "a"), "1");
}

TEST_F(LmdbTest, CompactingGivesSpaceBack) {
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(i), Bytes(50'000, 'v'));
  WriteBatch batch;
  batch.delete_range(kSpace, "", "");
  STRATA_OK(engine_->commit(batch, {}));
  put("stays", "v");
  const std::uint64_t before = engine_->stats().bytes_disk;
  STRATA_OK(engine_->compact());
  EXPECT_LT(engine_->stats().bytes_disk, before / 10);
  EXPECT_EQ(get(*engine_, "stays"), "v");
  EXPECT_EQ(count(*engine_), 1u);
}

}  // namespace
}  // namespace strata::backends::lmdb
