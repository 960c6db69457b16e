// What the simulated disk loses, tears, refuses and flips. Where a test says "in some seed" it
// looks for both outcomes among many seeds, so that it fails when the model gets too kind.
#include "io/sim_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "base/clock.h"
#include "base/thread.h"
#include "io/files.h"

namespace strata::io {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kSeeds = 200;

class Machine {
 public:
  explicit Machine(std::uint64_t seed, SimOptions options = {}) : files(seed, clock, options) {}

  std::unique_ptr<File> open(const std::string& path, OpenMode mode = OpenMode::read_write) {
    auto file = files.open(path, mode);
    EXPECT_TRUE(file) << file.error().to_string();
    return *std::move(file);
  }
  /// A file whose bytes and name are durable.
  void settle(const std::string& path, BytesView bytes) {
    const auto file = open(path, OpenMode::truncate);
    EXPECT_TRUE(file->append(bytes));
    EXPECT_TRUE(file->sync());
    EXPECT_TRUE(files.sync_directory(parent_path("/" + path)));
  }
  std::optional<Bytes> content(const std::string& path) {
    auto bytes = read_file(files, path);
    EXPECT_TRUE(bytes) << bytes.error().to_string();
    return *bytes;
  }

  base::SimClock clock;
  SimFileSystem files;
};

/// All contents that `path` can have after a crash that follows `prepare`.
template <class Prepare>
std::set<std::optional<Bytes>> outcomes(const std::string& path, const Prepare& prepare) {
  std::set<std::optional<Bytes>> found;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    prepare(machine);
    machine.files.crash();
    found.insert(machine.content(path));
  }
  return found;
}

TEST(SimCrash, KeepsWhatFileAndFolderSyncCovered) {
  const auto found = outcomes("a", [](Machine& machine) { machine.settle("a", "kept"); });
  EXPECT_EQ(found, std::set<std::optional<Bytes>>{"kept"});
}

TEST(SimCrash, LosesBytesWithoutAFileSyncInSomeSeedAndKeepsThemInAnother) {
  const auto found = outcomes("a", [](Machine& machine) {
    machine.settle("a", "old!");
    EXPECT_TRUE(machine.open("a")->pwrite(0, "new!"));
  });
  EXPECT_EQ(found, (std::set<std::optional<Bytes>>{"old!", "new!"}));
}

TEST(SimCrash, LosesASyncedFileWithoutAFolderSyncInSomeSeed) {
  const auto found = outcomes("a", [](Machine& machine) {
    const auto file = machine.open("a", OpenMode::create_new);
    EXPECT_TRUE(file->append("x"));
    EXPECT_TRUE(file->sync());
  });
  EXPECT_EQ(found, (std::set<std::optional<Bytes>>{std::nullopt, "x"}));
}

TEST(SimCrash, LosesARemoveWithoutAFolderSyncInSomeSeed) {
  const auto found = outcomes("a", [](Machine& machine) {
    machine.settle("a", "x");
    EXPECT_TRUE(machine.files.remove("a"));
  });
  EXPECT_EQ(found, (std::set<std::optional<Bytes>>{std::nullopt, "x"}));
}

TEST(SimCrash, LosesANewFolderWithAllInItUntilItsParentIsSynced) {
  const auto prepare = [](Machine& machine) {
    EXPECT_TRUE(machine.files.create_directory("d"));
    machine.settle("d/a", "x");
  };
  EXPECT_EQ(outcomes("d/a", prepare), (std::set<std::optional<Bytes>>{std::nullopt, "x"}));
  const auto synced = outcomes("d/a", [&](Machine& machine) {
    prepare(machine);
    EXPECT_TRUE(machine.files.sync_directory("/"));
  });
  EXPECT_EQ(synced, std::set<std::optional<Bytes>>{"x"});
}

TEST(SimCrash, TearsAWriteAtAny512ByteBoundaryAndNowhereElse) {
  constexpr std::size_t kSectors = 4;
  std::set<std::string> patterns;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.settle("a", Bytes(kSectors * 512, 'o'));
    ASSERT_TRUE(machine.open("a")->pwrite(0, Bytes(kSectors * 512, 'n')));
    machine.files.crash();
    const Bytes after = machine.content("a").value_or("");
    ASSERT_EQ(after.size(), kSectors * 512);
    std::string pattern;
    for (std::size_t i = 0; i < kSectors; ++i) {
      const Bytes sector = after.substr(i * 512, 512);
      ASSERT_EQ(sector, Bytes(512, sector[0])) << "torn inside a sector, seed " << seed;
      pattern += sector[0];
    }
    patterns.insert(pattern);
  }
  EXPECT_EQ(patterns.size(), 16U);
}

TEST(SimCrash, TearsAnAppendAndFillsWhatWasNotWrittenWithZeros) {
  std::set<std::size_t> sizes;
  bool hole = false;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.settle("a", Bytes(700, 'o'));
    ASSERT_TRUE(machine.open("a")->append(Bytes(2000, 'n')));
    machine.files.crash();
    const Bytes after = machine.content("a").value_or("");
    sizes.insert(after.size());
    ASSERT_EQ(after.substr(0, 700), Bytes(700, 'o')) << "lost durable bytes, seed " << seed;
    hole = hole || after.find('\0') != Bytes::npos;
    ASSERT_EQ(after.find_first_not_of(BytesView("on\0", 3)), Bytes::npos);
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{700, 1024, 1536, 2048, 2560, 2700}));
  EXPECT_TRUE(hole);
}

TEST(SimCrash, GivesACutBackWholeOrCut) {
  const auto found = outcomes("a", [](Machine& machine) {
    machine.settle("a", Bytes(1300, 'x'));
    EXPECT_TRUE(machine.open("a")->truncate(100));
  });
  EXPECT_EQ(found, (std::set<std::optional<Bytes>>{Bytes(1300, 'x'), Bytes(100, 'x')}));
}

TEST(SimCrash, StatesBetweenTwoSyncsCanComeBack) {
  const auto found = outcomes("a", [](Machine& machine) {
    machine.settle("a", "0");
    const auto file = machine.open("a");
    for (const char* bytes : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
      EXPECT_TRUE(file->pwrite(0, bytes));
    }
  });
  EXPECT_TRUE(found.contains("0"));
  EXPECT_TRUE(found.contains("8"));
  EXPECT_GT(found.size(), 2U);
}

TEST(SimCrash, ARenameIsOldOrNewAndNeverBothOrNeither) {
  std::set<Bytes> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.settle("a", "old");
    machine.settle("b", "new");
    ASSERT_TRUE(machine.files.rename("b", "a"));
    machine.files.crash();
    const std::optional<Bytes> a = machine.content("a");
    ASSERT_TRUE(a);
    ASSERT_EQ(machine.content("b").has_value(), *a == "old") << "seed " << seed;
    seen.insert(*a);
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST(SimCrash, ARenameBetweenFoldersNeedsBothSynced) {
  const auto moved = [](Machine& machine) {
    EXPECT_TRUE(machine.files.create_directory("from"));
    EXPECT_TRUE(machine.files.create_directory("to"));
    EXPECT_TRUE(machine.files.sync_directory("/"));
    machine.settle("from/a", "x");
    EXPECT_TRUE(machine.files.rename("from/a", "to/a"));
    EXPECT_TRUE(machine.files.sync_directory("to"));
  };
  EXPECT_EQ(outcomes("to/a", moved), (std::set<std::optional<Bytes>>{std::nullopt, "x"}));
  const auto both = outcomes("to/a", [&](Machine& machine) {
    moved(machine);
    EXPECT_TRUE(machine.files.sync_directory("from"));
  });
  EXPECT_EQ(both, std::set<std::optional<Bytes>>{"x"});
}

TEST(SimCrash, NamesOfOneChainSurviveInTheirOrder) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.open("a", OpenMode::create_new);
    ASSERT_TRUE(machine.files.rename("a", "b"));
    ASSERT_TRUE(machine.files.rename("b", "c"));
    machine.files.crash();
    int names = 0;
    for (const char* name : {"a", "b", "c"}) names += machine.content(name).has_value() ? 1 : 0;
    ASSERT_LE(names, 1) << "seed " << seed;
  }
}

TEST(SimCrash, AtomicWriteIsOldOrNewWhereverPowerGoes) {
  std::set<Bytes> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t calls = 0;; ++calls) {
      Machine machine(seed);
      ASSERT_TRUE(write_file_atomically(machine.files, "a", Bytes(2000, 'o')));
      machine.files.crash_after(calls);
      const Result<> written = write_file_atomically(machine.files, "a", Bytes(3000, 'n'));
      machine.files.crash();
      const Bytes after = machine.content("a").value_or("");
      ASSERT_TRUE(after == Bytes(2000, 'o') || after == Bytes(3000, 'n'))
          << "seed " << seed << ", power lost after call " << calls;
      ASSERT_TRUE(!written || after == Bytes(3000, 'n')) << "an acknowledged write was lost";
      seen.insert(after);
      if (written) break;
    }
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST(SimCrash, AnAtomicWriteWithoutItsSyncIsCaught) {
  // The mistake the model is there for: rename before the bytes are durable.
  const auto found = outcomes("a", [](Machine& machine) {
    machine.settle("a", "old");
    EXPECT_TRUE(machine.open("a.tmp", OpenMode::truncate)->append("new"));
    EXPECT_TRUE(machine.files.rename("a.tmp", "a"));
    EXPECT_TRUE(machine.files.sync_directory("/"));
  });
  EXPECT_TRUE(found.contains(""));
}

TEST(SimCrash, LoseAndKeepDoWhatTheySay) {
  for (const CrashStyle style : {CrashStyle::lose, CrashStyle::keep}) {
    const bool kept = style == CrashStyle::keep;
    Machine machine(1, {.write_back_one_in = 0});
    machine.settle("a", "old");
    ASSERT_TRUE(machine.open("a")->pwrite(0, "newer"));
    machine.open("b", OpenMode::create_new);
    machine.files.crash(style);
    EXPECT_EQ(machine.content("a"), kept ? "newer" : "old");
    EXPECT_EQ(machine.content("b").has_value(), kept);
  }
}

TEST(SimCrash, FilesAndLocksFromBeforeAnswerErrors) {
  Machine machine(1);
  machine.settle("a", "x");
  const auto file = machine.open("a");
  const auto lock = machine.files.lock_file("LOCK");
  ASSERT_TRUE(lock);
  machine.files.crash();
  std::array<char, 1> buffer{};
  EXPECT_FALSE(file->pread(0, buffer));
  EXPECT_FALSE(file->append("y"));
  EXPECT_FALSE(file->sync());
  EXPECT_THAT(file->size().error().to_string(), HasSubstr("lost power"));
  EXPECT_TRUE(machine.files.lock_file("LOCK"));
  EXPECT_EQ(machine.content("a"), "x");
}

TEST(SimCrash, CrashAfterStopsBeforeTheNextMutatingCall) {
  Machine machine(1);
  const auto file = machine.open("a", OpenMode::create_new);
  const std::uint64_t before = machine.files.mutating_calls();
  machine.files.crash_after(2);
  EXPECT_TRUE(file->append("1"));
  EXPECT_TRUE(file->size());  // does not count
  EXPECT_TRUE(file->append("2"));
  EXPECT_FALSE(machine.files.is_down());
  EXPECT_FALSE(file->append("3"));
  EXPECT_TRUE(machine.files.is_down());
  EXPECT_FALSE(machine.files.stat("a"));
  EXPECT_EQ(machine.files.mutating_calls() - before, 2U);
  machine.files.crash(CrashStyle::keep);
  EXPECT_EQ(machine.content("a"), "12");
}

TEST(SimCrash, TheSameSeedGivesTheSameDisk) {
  const auto run = [](std::uint64_t seed) {
    Machine machine(seed);
    Bytes all;
    for (int i = 0; i < 20; ++i) {
      const std::string path = std::to_string(i);
      EXPECT_TRUE(machine.open(path)->append(Bytes(3000, 'x')));
    }
    machine.files.crash();
    for (int i = 0; i < 20; ++i) all += machine.content(std::to_string(i)).value_or("absent");
    return all;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(SimFault, HitsTheCallThatItSaysAndNoOther) {
  Machine machine(1);
  const auto a = machine.open("a");
  const auto b = machine.open("b");
  machine.files.inject({.call = SimCall::sync, .path_contains = "a", .skip = 1, .times = 2});
  EXPECT_TRUE(a->sync());
  EXPECT_TRUE(b->sync());
  EXPECT_EQ(a->sync().error().to_string(), "sync 'a': Input/output error");
  EXPECT_TRUE(b->sync());
  EXPECT_FALSE(a->sync());
  EXPECT_TRUE(a->sync());
  machine.files.inject({.call = SimCall::any, .times = 1'000});
  EXPECT_FALSE(machine.files.stat("a"));
  machine.files.clear_faults();
  EXPECT_TRUE(machine.files.stat("a"));
}

TEST(SimFault, AFailedWriteMayHaveWrittenAPart) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    const auto file = machine.open("a");
    machine.files.inject({.call = SimCall::write});
    EXPECT_FALSE(file->append("1234"));
    sizes.insert(file->size().value());
    ASSERT_TRUE(file->append("abcd"));  // over what was torn: the end is where it was
    EXPECT_EQ(machine.content("a"), "abcd");
  }
  EXPECT_GT(sizes.size(), 2U);
}

TEST(SimFault, AFailedSyncDropsItsBytesAndALaterOneDoesNotBringThemBack) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Machine machine(seed, {.write_back_one_in = 0});
    machine.settle("a", "old");
    const auto file = machine.open("a");
    ASSERT_TRUE(file->pwrite(0, "new"));
    machine.files.inject({.call = SimCall::sync});
    EXPECT_FALSE(file->sync());
    EXPECT_EQ(machine.content("a"), "new");
    EXPECT_TRUE(file->sync());
    machine.files.crash();
    EXPECT_EQ(machine.content("a"), "old");
  }
}

TEST(SimFault, BytesWrittenAgainAfterAFailedSyncCanBeSynced) {
  Machine machine(1);
  machine.settle("a", "old");
  const auto file = machine.open("a");
  ASSERT_TRUE(file->pwrite(0, "new"));
  machine.files.inject({.call = SimCall::sync});
  EXPECT_FALSE(file->sync());
  ASSERT_TRUE(file->pwrite(0, "new"));
  EXPECT_TRUE(file->sync());
  machine.files.crash(CrashStyle::lose);
  EXPECT_EQ(machine.content("a"), "new");
}

TEST(SimFault, AFailedFolderSyncMakesNothingDurable) {
  Machine machine(1);
  machine.open("a", OpenMode::create_new);
  machine.files.inject({.call = SimCall::sync_directory});
  EXPECT_FALSE(machine.files.sync_directory("/"));
  machine.files.crash(CrashStyle::lose);
  EXPECT_EQ(machine.content("a"), std::nullopt);
}

TEST(SimFault, ADelayPassesOnTheClock) {
  Machine machine(1);
  machine.settle("a", "x");
  machine.files.inject({.call = SimCall::read, .error_number = 0, .delay_ms = 1'000});
  const std::int64_t before = machine.clock.monotonic_ms();
  EXPECT_EQ(machine.content("a"), "x");
  EXPECT_EQ(machine.clock.monotonic_ms() - before, 1'000);
}

TEST(SimSpace, AFullDiskIsQuotaAndRoomComesBack) {
  Machine machine(1, {.capacity_bytes = 1'000});
  const auto file = machine.open("a");
  ASSERT_TRUE(file->append(Bytes(600, 'x')));
  const Result<> full = file->append(Bytes(600, 'y'));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), Code::quota);
  EXPECT_EQ(full.error().to_string(), "write 'a': No space left on device");
  EXPECT_EQ(machine.files.space("/")->free_bytes, 0U);
  EXPECT_TRUE(file->pwrite(0, Bytes(600, 'z')));  // no growth, no room needed
  EXPECT_EQ(file->allocate(2'000).error().code(), Code::quota);
  ASSERT_TRUE(file->truncate(100));
  EXPECT_EQ(machine.files.space("/")->free_bytes, 900U);
  machine.files.set_capacity_bytes(50);
  EXPECT_EQ(machine.files.space("/")->free_bytes, 0U);
}

TEST(SimSpace, ARemovedFileGivesItsRoomBackOnceThatIsDurableAndItIsClosed) {
  Machine machine(1, {.capacity_bytes = 1'000});
  machine.settle("a", Bytes(600, 'x'));
  auto file = machine.open("a");
  ASSERT_TRUE(machine.files.remove("a"));
  ASSERT_TRUE(machine.files.sync_directory("/"));
  EXPECT_EQ(machine.files.space("/")->free_bytes, 400U);
  file.reset();
  EXPECT_EQ(machine.files.space("/")->free_bytes, 1'000U);
}

TEST(SimFlip, FlipsOneBitThatStaysFlippedAfterACrash) {
  Machine machine(1);
  machine.settle("a", Bytes(600, '\0'));
  ASSERT_TRUE(machine.files.flip_bit("a", 513 * 8 + 2));
  Bytes expected(600, '\0');
  expected[513] = 4;
  EXPECT_EQ(machine.content("a"), expected);
  machine.files.crash();
  EXPECT_EQ(machine.content("a"), expected);
  EXPECT_FALSE(machine.files.flip_bit("a", 600 * 8));
  EXPECT_FALSE(machine.files.flip_bit("none", 0));
  const auto bit = machine.files.flip_random_bit("a");
  ASSERT_TRUE(bit);
  EXPECT_NE(machine.content("a"), expected);
  ASSERT_TRUE(machine.files.flip_bit("a", *bit));
  EXPECT_EQ(machine.content("a"), expected);
}

TEST(SimFileSystem, RefusesPathsThatClimb) {
  Machine machine(1);
  EXPECT_FALSE(machine.files.stat("../a"));
  EXPECT_FALSE(machine.files.open("a/../b", OpenMode::read_write));
}

TEST(SimFileSystem, FilesMayOutliveIt) {
  std::unique_ptr<File> file;
  {
    Machine machine(1);
    file = machine.open("a");
  }
  // Times come from the clock, which must live; reading needs none.
  std::array<char, 1> buffer{};
  EXPECT_EQ(file->pread(0, buffer).value(), 0U);
}

TEST(SimThreads, ManyMayUseItWhileItCrashes) {
  Machine machine(1);
  std::vector<base::Thread> threads;
  for (int t = 0; t < 3; ++t) {
    auto thread = base::Thread::start("writer", [&machine, t] {
      const std::string path = "file" + std::to_string(t);
      for (int i = 0; i < 200; ++i) {
        // Any call may fail here, since power goes at any time; none may misbehave.
        auto file = machine.files.open(path, OpenMode::read_write);
        if (!file) continue;
        (void)(*file)->append(Bytes(100, 'x'));
        (void)(*file)->sync();
        (void)machine.files.sync_directory("/");
        (void)machine.files.rename(path, path + "x");
      }
    });
    ASSERT_TRUE(thread);
    threads.push_back(*std::move(thread));
  }
  for (int i = 0; i < 50; ++i) machine.files.crash();
  threads.clear();
  std::uint64_t bytes = 0;
  ASSERT_TRUE(machine.files.list_directory("/", [&](std::string_view name, FileKind) {
    bytes += machine.content(std::string(name)).value_or("").size();
    return true;
  }));
  const auto space = machine.files.space("/");
  EXPECT_GE(space->total_bytes - space->free_bytes, bytes);
}

}  // namespace
}  // namespace strata::io
