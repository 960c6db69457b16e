// FileEngine on a real file system: what people find in its folders, what damage is reported, and
// what upkeep does. What all engines have in common stands in conformance/.
#include "backends/file/file_engine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "io/posix_file_system.h"
#include "io/sim_file_system.h"
#include "io/temp_folder.h"

namespace strata::backends::file {
namespace {

namespace fs = std::filesystem;
constexpr Keyspace kSpace{16};

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void spill(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class FileEngineTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  FileEngine::Options options() const {
    return {.root = folder_.path() + "/store", .durability = Durability::commit};
  }
  void open() { open(options()); }
  void open(FileEngine::Options with) {
    engine_.reset();
    Result<std::unique_ptr<Engine>> opened = FileEngine::open(io::posix(), clock_, std::move(with));
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = *std::move(opened);
  }
  /// Another process's view of the store as it is on disk now, as after a kill.
  void open_copy() {
    const fs::path copy = fs::path(folder_.path()) / "copy";
    fs::remove_all(copy);
    fs::copy(store(), copy, fs::copy_options::recursive);
    FileEngine::Options with = options();
    with.root = copy.string();
    open(with);
  }
  fs::path store() const { return fs::path(folder_.path()) / "store"; }
  fs::path leaf(BytesView key) const { return store() / "16" / leaf_path(place_of(key).leaf); }
  std::set<std::string> files_of(BytesView key) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(leaf(key))) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  static KeyRef at(BytesView key) { return {kSpace, key}; }
  Version put(BytesView key, BytesView value, Durability durability = Durability::commit) {
    const Result<Version> version = engine_->put(at(key), value, {}, {.durability = durability});
    EXPECT_TRUE(version) << version.error().to_string();
    return version.value_or(Version{});
  }
  Result<std::optional<Bytes>> get(BytesView key) {
    Value value;
    STRATA_LET(const std::optional<RecordInfo> info, engine_->get(at(key), value));
    if (!info) return std::optional<Bytes>{};
    return std::optional<Bytes>(value.to_bytes());
  }
  Bytes must_get(BytesView key) {
    const Result<std::optional<Bytes>> found = get(key);
    EXPECT_TRUE(found) << found.error().to_string();
    return found && *found ? **found : Bytes("(absent)");
  }
  double figure(std::string_view name) {
    for (const Stats::Figure& each : engine_->stats().more) {
      if (each.name == name) return each.value;
    }
    return -1;
  }

  io::TempFolder folder_;
  base::SimClock clock_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(FileEngineTest, KeepsAValueAsAPlainFileBesideItsSidecar) {
  const Version version = put("hello", "world\n");
  const std::string value = "hello@" + std::to_string(version.value);
  EXPECT_EQ(files_of("hello"), (std::set<std::string>{"hello@meta.json", value}));
  EXPECT_EQ(leaf("hello"), store() / "16" / "2c" / "f");
  EXPECT_EQ(slurp(leaf("hello") / value), "world\n");
  const std::string sidecar = slurp(leaf("hello") / "hello@meta.json");
  EXPECT_NE(sidecar.find("\"key\": \"hello\""), std::string::npos) << sidecar;
  EXPECT_NE(sidecar.find("\"content_type\": \"text/plain"), std::string::npos) << sidecar;
}

TEST_F(FileEngineTest, LeavesOneValueFileAfterManyOverwrites) {
  for (int i = 0; i < 5; ++i) put("k", std::to_string(i));
  EXPECT_EQ(files_of("k").size(), 2u);
  EXPECT_EQ(must_get("k"), "4");
  ASSERT_TRUE(engine_->remove(at("k")));
  EXPECT_EQ(files_of("k").size(), 0u);
}

TEST_F(FileEngineTest, KeepsTheTimeAtWhichAKeyCameToBe) {
  put("k", "one");
  clock_.advance_ms(5000);
  put("k", "two");
  const std::string sidecar = slurp(leaf("k") / "k@meta.json");
  EXPECT_NE(sidecar.find("\"created\": \"2024-01-01T00:00:00.000Z\""), std::string::npos);
  EXPECT_NE(sidecar.find("\"modified\": \"2024-01-01T00:00:05.000Z\""), std::string::npos);
}

TEST_F(FileEngineTest, ReportsAChangedValueByFileAndKeyAndNeverServesIt) {
  const Version version = put("hello", "world");
  const fs::path file = leaf("hello") / ("hello@" + std::to_string(version.value));
  spill(file, "wOrld");
  const Result<std::optional<Bytes>> found = get("hello");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::corruption);
  EXPECT_NE(found.error().message().find(file.string()), std::string::npos);
  EXPECT_NE(found.error().message().find("'hello'"), std::string::npos);
  spill(file, "worl");
  EXPECT_FALSE(get("hello"));
  fs::remove(file);
  const Result<std::optional<Bytes>> gone = get("hello");
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.error().message().find("has gone"), std::string::npos);
  put("hello", "again");  // writing over it is the way out
  EXPECT_EQ(must_get("hello"), "again");
}

TEST_F(FileEngineTest, ReportsADamagedSidecarAndLetsItBeWrittenOver) {
  put("hello", "world");
  spill(leaf("hello") / "hello@meta.json", "{}");
  const Result<std::optional<Bytes>> found = get("hello");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::corruption);
  EXPECT_NE(found.error().message().find("'hello'"), std::string::npos);
  put("hello", "again");
  EXPECT_EQ(must_get("hello"), "again");
  EXPECT_EQ(files_of("hello").size(), 2u);
  EXPECT_EQ(*engine_->count(kSpace), 1u);
}

TEST_F(FileEngineTest, DoesNotAnswerWithAPairCopiedFromAnotherKey) {
  const Version version = put("hello", "world");
  fs::create_directories(leaf("other"));
  fs::copy(leaf("hello") / "hello@meta.json", leaf("other") / "other@meta.json");
  fs::copy(leaf("hello") / ("hello@" + std::to_string(version.value)), leaf("other"));
  const Result<std::optional<Bytes>> found = get("other");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::corruption);
}

TEST_F(FileEngineTest, LeavesForeignFilesAloneAndCountsThem) {
  put("hello", "world");
  spill(leaf("hello") / "notes.txt", "mine");
  spill(leaf("hello") / "copied@7", "mine");
  ASSERT_TRUE(engine_->close());
  open();
  while (engine_->maintain(1000)->more) {
  }
  EXPECT_EQ(figure("orphans"), 2);
  EXPECT_EQ(*engine_->count(kSpace), 1u);
  EXPECT_EQ(slurp(leaf("hello") / "notes.txt"), "mine");
  EXPECT_EQ(slurp(leaf("hello") / "copied@7"), "mine");
}

TEST_F(FileEngineTest, CountsWithoutLookingAfterACleanClose) {
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(i), "v");
  EXPECT_EQ(*engine_->count(kSpace), 20u);
  ASSERT_TRUE(engine_->close());
  open();
  EXPECT_EQ(figure("counted"), 1);
  EXPECT_EQ(*engine_->count(kSpace), 20u);
  EXPECT_EQ(engine_->stats().keys, 20u);
}

TEST_F(FileEngineTest, CountsExactlyWhileTheFirstWalkGoesOn) {
  for (int i = 0; i < 60; ++i) put("k" + std::to_string(i), "v", Durability::none);
  open_copy();  // not closed: nothing is known
  EXPECT_EQ(figure("counted"), 0);
  unsigned extra = 0;
  while (figure("counted") == 0) {
    ASSERT_TRUE(engine_->maintain(40));
    put("extra" + std::to_string(extra), "v", Durability::none);
    ASSERT_TRUE(engine_->remove(at("k" + std::to_string(extra)), {.durability = Durability::none}));
    ++extra;
  }
  EXPECT_GT(extra, 5u);
  EXPECT_EQ(*engine_->count(kSpace), 60u);
}

TEST_F(FileEngineTest, DoesNotCountTheExpiredAndGivesTheirSpaceBack) {
  RecordAttributes soon;
  soon.expires_ms = clock_.wall_ms() + 1000;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(engine_->put(at("t" + std::to_string(i)), "v", soon));
  put("stays", "v");
  EXPECT_EQ(*engine_->count(kSpace), 21u);
  clock_.advance_ms(1000);
  EXPECT_EQ(*engine_->count(kSpace), 1u);
  EXPECT_EQ(must_get("t3"), "(absent)");
  EXPECT_TRUE(fs::exists(leaf("t3") / "t3@meta.json"));
  std::uint64_t expired = 0;
  for (bool more = true; more;) {
    const Result<Maintenance> done = engine_->maintain(7);
    ASSERT_TRUE(done);
    expired += done->expired;
    more = done->more;
  }
  EXPECT_EQ(expired, 20u);
  EXPECT_FALSE(fs::exists(leaf("t3") / "t3@meta.json"));
  clock_.advance_ms(Records::kNoneSettlesMs);
  ASSERT_TRUE(engine_->maintain(100));
  EXPECT_EQ(files_of("t3").size(), 0u);
  EXPECT_EQ(*engine_->count(kSpace), 1u);
}

TEST_F(FileEngineTest, CountsRightWhenTheClockIsSetBack) {
  RecordAttributes soon;
  soon.expires_ms = clock_.wall_ms() + 1000;
  ASSERT_TRUE(engine_->put(at("t"), "v", soon));
  clock_.advance_ms(2000);
  EXPECT_EQ(*engine_->count(kSpace), 0u);
  clock_.set_wall_ms(clock_.wall_ms() - 2000);
  EXPECT_EQ(*engine_->count(kSpace), 1u);
  EXPECT_EQ(must_get("t"), "v");
}

TEST_F(FileEngineTest, KeepsTheOldPairUntilALaterWriteIsDurable) {
  const Version durable = put("k", "durable");
  const Version later = put("k", "later", Durability::interval);
  EXPECT_EQ(must_get("k"), "later");
  const std::string old_value = "k@" + std::to_string(durable.value);
  const std::string new_value = "k@" + std::to_string(later.value);
  EXPECT_EQ(files_of("k"),
            (std::set<std::string>{"k@meta.json", "k@next.json", old_value, new_value}));
  EXPECT_EQ(figure("pending"), 1);
  clock_.advance_ms(999);
  ASSERT_TRUE(engine_->maintain(10));
  EXPECT_EQ(figure("pending"), 1);
  clock_.advance_ms(1);
  ASSERT_TRUE(engine_->maintain(10));
  EXPECT_EQ(figure("pending"), 0);
  EXPECT_EQ(files_of("k"), (std::set<std::string>{"k@meta.json", new_value}));
  EXPECT_EQ(must_get("k"), "later");
}

TEST_F(FileEngineTest, SettlesEarlierWritesWithLaterCommits) {
  put("k", "v", Durability::interval);
  clock_.advance_ms(1000);
  put("other", "v", Durability::none);
  EXPECT_FALSE(fs::exists(leaf("k") / "k@next.json"));
}

TEST_F(FileEngineTest, TakesWhatIsWholeAfterAKill) {
  put("kept", "one");
  put("kept", "two", Durability::interval);
  put("fresh", "new", Durability::none);
  put("gone", "x");
  ASSERT_TRUE(engine_->remove(at("gone"), {.durability = Durability::interval}));
  open_copy();
  EXPECT_EQ(must_get("kept"), "two");
  EXPECT_EQ(must_get("fresh"), "new");
  EXPECT_EQ(must_get("gone"), "(absent)");
  EXPECT_EQ(*engine_->count(kSpace), 2u);
}

TEST_F(FileEngineTest, FallsBackToTheOldPairWhenTheLaterOneIsTorn) {
  put("a", "old a");
  const Version torn = put("a", "new a", Durability::interval);
  put("b", "old b");
  put("b", "new b", Durability::interval);
  spill(leaf("a") / ("a@" + std::to_string(torn.value)), "new");
  spill(leaf("b") / "b@next.json", "{\n\"strata");
  spill(leaf("b") / "b@temp.json", "{");
  spill(leaf("b") / "b@999", "orphan");
  open_copy();
  EXPECT_EQ(must_get("a"), "old a");
  EXPECT_EQ(must_get("b"), "old b");
  std::size_t left = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(folder_.path()) / "copy")) {
    if (entry.is_regular_file()) ++left;
  }
  EXPECT_EQ(left, 5u);  // two pairs and META.json
}

TEST_F(FileEngineTest, ReadsTheSameAfterAKillWhenOpenedReadOnlyAndChangesNothing) {
  put("kept", "one");
  put("kept", "two", Durability::interval);
  FileEngine::Options with = options();
  with.read_only = true;
  std::unique_ptr<Engine> writer = std::move(engine_);
  open(with);
  EXPECT_EQ(must_get("kept"), "two");
  EXPECT_EQ(*engine_->count(kSpace), 1u);
  EXPECT_TRUE(fs::exists(leaf("kept") / "kept@next.json"));
  const Result<Version> refused = engine_->put(at("kept"), "three");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::not_supported);
}

TEST_F(FileEngineTest, NeverUsesAVersionTwiceEvenAfterAKill) {
  const Version before = put("a", "1");
  open_copy();
  EXPECT_GT(put("b", "1"), before);
  const Version last = put("c", "1");
  ASSERT_TRUE(engine_->close());
  FileEngine::Options with = options();
  with.root = folder_.path() + "/copy";
  open(with);
  EXPECT_EQ(put("d", "1").value, last.value + 1);
}

TEST_F(FileEngineTest, RefusesAStoreWithoutItsMetaFile) {
  put("a", "1");
  ASSERT_TRUE(engine_->close());
  fs::rename(store() / "META.json", store() / "saved");
  const auto opened = FileEngine::open(io::posix(), clock_, options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::corruption);
  EXPECT_FALSE(fs::exists(store() / "META.json"));
  spill(store() / "META.json", "{}");
  const auto damaged = FileEngine::open(io::posix(), clock_, options());
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().message().find("META.json"), std::string::npos);
}

TEST_F(FileEngineTest, DoesNotMakeAStoreWhenToldNotTo) {
  FileEngine::Options with = options();
  with.root = folder_.path() + "/absent";
  with.create = false;
  EXPECT_FALSE(FileEngine::open(io::posix(), clock_, with));
  EXPECT_FALSE(fs::exists(with.root));
}

TEST_F(FileEngineTest, RefusesABatchOfSeveralEffects) {
  WriteBatch batch;
  batch.put(at("a"), "1");
  batch.put(at("b"), "2");
  const Result<Commit> refused = engine_->commit(batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::not_supported);
  EXPECT_EQ(must_get("a"), "(absent)");
  EXPECT_EQ(engine_->as<AtomicBatch>(), nullptr);
}

TEST_F(FileEngineTest, RemovesARange) {
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(100 + i), "v", Durability::interval);
  WriteBatch batch;
  batch.delete_range(kSpace, "k120", "k180");
  ASSERT_TRUE(engine_->commit(batch));
  EXPECT_EQ(*engine_->count(kSpace), 40u);
  EXPECT_EQ(must_get("k119"), "v");
  EXPECT_EQ(must_get("k120"), "(absent)");
  EXPECT_EQ(must_get("k180"), "v");
  batch.clear();
  batch.delete_range(kSpace, "", "");
  ASSERT_TRUE(engine_->commit(batch));
  EXPECT_EQ(*engine_->count(kSpace), 0u);
}

TEST_F(FileEngineTest, GivesEveryStayingKeyToAScanWhileWritersRun) {
  for (int i = 0; i < 100; ++i) put("stay" + std::to_string(i), "v", Durability::none);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop.load(); ++i) {
      const std::string key = "stay" + std::to_string(i % 100);
      const Durability durability = i % 3 == 0 ? Durability::commit : Durability::interval;
      const WriteOptions with{.durability = durability};
      EXPECT_TRUE(engine_->put(at(key), std::to_string(i), {}, with));
      EXPECT_TRUE(engine_->put(at("come" + std::to_string(i % 50)), "v", {}, with));
      EXPECT_TRUE(engine_->remove(at("come" + std::to_string((i + 25) % 50)), with));
    }
  });
  for (int round = 0; round < 3; ++round) {
    std::set<Bytes> seen;
    Bytes cursor;
    ScanPage page;
    std::size_t calls = 0;
    do {
      CursorOptions ten;
      ten.keys_only = false;
      const Result<> scanned = engine_->scan_some(kSpace, cursor, ten, page);
      ASSERT_TRUE(scanned) << scanned.error().to_string();
      EXPECT_LE(page.size(), 10u);
      for (std::size_t i = 0; i < page.size(); ++i) seen.emplace(page[i].key);
      ASSERT_LT(++calls, 10'000u);
    } while (!cursor.empty());
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.contains("stay" + std::to_string(i))) << i;
  }
  stop = true;
  writer.join();
}

TEST_F(FileEngineTest, ReadsAreWholeWhileTheKeyIsWritten) {
  put("k", Bytes(5000, 'a'));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop.load(); ++i) {
      const Durability durability = i % 2 == 0 ? Durability::commit : Durability::interval;
      const Bytes value(static_cast<std::size_t>(1000 + i % 5000), static_cast<char>('a' + i % 26));
      EXPECT_TRUE(engine_->put(at("k"), value, {}, {.durability = durability}));
    }
  });
  for (int i = 0; i < 2000; ++i) {
    const Result<std::optional<Bytes>> found = get("k");
    ASSERT_TRUE(found) << found.error().to_string();
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->find_first_not_of((*found)->front()), Bytes::npos);
  }
  stop = true;
  writer.join();
}

TEST_F(FileEngineTest, ReadsAsynchronously) {
  put("a", "1");
  struct Completion final : ReadCompletion {
    std::atomic<int> told{0};
    void complete(Result<> result) noexcept override {
      EXPECT_TRUE(result);
      told.fetch_add(1);
      told.notify_all();
    }
  } completion;
  std::vector<Read> reads(2);
  reads[0].key = at("a");
  reads[1].key = at("absent");
  AsyncReads* async = engine_->as<AsyncReads>();
  ASSERT_NE(async, nullptr);
  if (!async->start_mget(reads, {}, completion)) completion.told.wait(0);
  ASSERT_TRUE(reads[0].info);
  EXPECT_EQ(reads[0].value.view(), "1");
  EXPECT_FALSE(reads[1].info);
}

class FileEngineOnBadDisk : public testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<Engine>> opened =
        FileEngine::open(disk_, clock_, {.root = "store", .durability = Durability::commit});
    ASSERT_TRUE(opened);
    engine_ = *std::move(opened);
    ASSERT_TRUE(engine_->put({kSpace, "k"}, "old"));
  }
  Bytes value_of(BytesView key) {
    Value value;
    const auto info = engine_->get({kSpace, key}, value);
    EXPECT_TRUE(info) << info.error().to_string();
    return info && *info ? value.to_bytes() : Bytes("(absent)");
  }

  base::SimClock clock_;
  io::SimFileSystem disk_{1, clock_};
  std::unique_ptr<Engine> engine_;
};

TEST_F(FileEngineOnBadDisk, KeepsTheOldPairWhenItIsFull) {
  disk_.set_capacity_bytes(4096);
  const Result<Version> refused = engine_->put({kSpace, "k"}, Bytes(100'000, 'n'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::quota);
  EXPECT_EQ(value_of("k"), "old");
  disk_.set_capacity_bytes(1 << 30);
  EXPECT_TRUE(engine_->put({kSpace, "k"}, "new"));
  EXPECT_EQ(value_of("k"), "new");
}

TEST_F(FileEngineOnBadDisk, TakesNoMoreWritesOnceASyncOfAFolderHasFailed) {
  disk_.inject({.call = io::SimCall::sync_directory});
  const Result<Version> failed = engine_->put({kSpace, "k"}, "new");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::io);
  const Result<Version> later = engine_->put({kSpace, "other"}, "x");
  ASSERT_FALSE(later);
  EXPECT_NE(later.error().message().find("until it is opened again"), std::string::npos);
  EXPECT_EQ(value_of("k"), "old");
  EXPECT_FALSE(engine_->close());
}

TEST_F(FileEngineOnBadDisk, RefusesAWriteWhoseSyncFailedAndGoesOn) {
  disk_.inject({.call = io::SimCall::sync, .path_contains = "k@"});
  EXPECT_FALSE(engine_->put({kSpace, "k"}, "new"));
  EXPECT_EQ(value_of("k"), "old");
  EXPECT_TRUE(engine_->put({kSpace, "k"}, "newer"));
  EXPECT_EQ(value_of("k"), "newer");
}

TEST_F(FileEngineOnBadDisk, ReportsEveryFlippedBit) {
  for (const char* suffix : {"k@meta.json", "k@1"}) {
    const std::string path = "store/16/" + leaf_path(place_of("k").leaf) + "/" + suffix;
    const auto info = disk_.stat(path);
    ASSERT_TRUE(info && *info) << path;
    for (std::uint64_t bit = 0; bit < (*info)->bytes * 8; ++bit) {
      ASSERT_TRUE(disk_.flip_bit(path, bit));
      Value value;
      const auto found = engine_->get({kSpace, "k"}, value);
      ASSERT_FALSE(found) << path << ", bit " << bit;
      EXPECT_EQ(found.error().code(), Code::corruption);
      EXPECT_TRUE(value.empty());
      ASSERT_TRUE(disk_.flip_bit(path, bit));
    }
  }
  EXPECT_EQ(value_of("k"), "old");
}

}  // namespace
}  // namespace strata::backends::file
