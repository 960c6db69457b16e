// What every FileSystem keeps; run over each of them.
#include "io/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "io/files.h"
#include "io/posix_file_system.h"
#include "io/sim_file_system.h"
#include "io/temp_folder.h"

namespace strata::io {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

/// One file system with an empty folder in it.
class Room {
 public:
  virtual ~Room() = default;
  virtual FileSystem& files() = 0;
  virtual std::string folder() = 0;
};

class PosixRoom final : public Room {
 public:
  FileSystem& files() override { return posix(); }
  std::string folder() override { return folder_.path(); }

 private:
  TempFolder folder_;
};

class SimRoom final : public Room {
 public:
  SimRoom() { STRATA_CHECK(files_.create_directory("room")); }
  FileSystem& files() override { return files_; }
  std::string folder() override { return "room"; }

 private:
  base::SimClock clock_;
  SimFileSystem files_{1, clock_};
};

struct Kind {
  const char* name;
  std::unique_ptr<Room> (*make)();
};

class FileSystemTest : public testing::TestWithParam<Kind> {
 protected:
  FileSystem& files() { return room_->files(); }
  std::string path(std::string_view name) { return join_path(room_->folder(), name); }

  std::unique_ptr<File> open(std::string_view name, OpenMode mode) {
    auto file = files().open(path(name), mode);
    EXPECT_TRUE(file) << file.error().to_string();
    return *std::move(file);
  }
  void write(std::string_view name, BytesView bytes) {
    ASSERT_TRUE(open(name, OpenMode::truncate)->append(bytes));
  }
  Bytes content(std::string_view name) {
    auto bytes = read_file(files(), path(name));
    EXPECT_TRUE(bytes) << bytes.error().to_string();
    EXPECT_TRUE(bytes->has_value()) << name << " is absent";
    return bytes->value_or("");
  }
  std::vector<std::string> names(std::string_view name = "") {
    std::vector<std::string> found;
    EXPECT_TRUE(files().list_directory(path(name), [&](std::string_view entry, FileKind) {
      found.emplace_back(entry);
      return true;
    }));
    return found;
  }

 private:
  std::unique_ptr<Room> room_ = GetParam().make();
};

TEST_P(FileSystemTest, WritesAndReadsAtAnyOffset) {
  const auto file = open("a", OpenMode::create_new);
  ASSERT_TRUE(file->pwrite(5, "world"));
  ASSERT_TRUE(file->pwrite(0, "hello"));
  std::array<char, 16> buffer{};
  EXPECT_EQ(file->pread(3, buffer).value(), 7U);
  EXPECT_EQ(BytesView(buffer.data(), 7), "loworld");
  EXPECT_EQ(file->pread(10, buffer).value(), 0U);
  EXPECT_EQ(file->pread(1000, buffer).value(), 0U);
  EXPECT_EQ(file->size().value(), 10U);
}

TEST_P(FileSystemTest, ADirectFileHoldsTheSameBytesAsACachedOne) {
  alignas(kDirectBytes) static std::array<char, 3 * kDirectBytes> memory;
  memory.fill('x');
  const BytesView units(memory.data(), memory.size());
  {
    auto file = files().open_direct(path("a"), OpenMode::create_new);
    ASSERT_TRUE(file) << file.error().to_string();
    ASSERT_TRUE((*file)->pwrite(0, units));
    ASSERT_TRUE((*file)->append(units.substr(0, kDirectBytes)));
    ASSERT_TRUE((*file)->sync());
  }
  EXPECT_EQ(content("a"), Bytes(4 * kDirectBytes, 'x'));
  ASSERT_TRUE(open("a", OpenMode::read_write)->append("tail"));
  EXPECT_EQ(files().open_direct(path("a"), OpenMode::create_new).error().code(), Code::busy);
  auto file = files().open_direct(path("a"), OpenMode::read);
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->pread(3 * kDirectBytes, memory).value(), kDirectBytes + 4);
  EXPECT_EQ(units.substr(kDirectBytes - 1, 5), "xtail");
  EXPECT_EQ((*file)->pread(5 * kDirectBytes, memory).value(), 0U);
}

TEST_P(FileSystemTest, AGapReadsAsZeros) {
  const auto file = open("a", OpenMode::create_new);
  ASSERT_TRUE(file->pwrite(3000, "x"));
  EXPECT_EQ(content("a"), Bytes(3000, '\0') + "x");
}

TEST_P(FileSystemTest, AppendGoesOnAtTheEnd) {
  write("a", "one");
  {
    const auto file = open("a", OpenMode::read_write);
    ASSERT_TRUE(file->append(" two"));
    ASSERT_TRUE(file->truncate(5));
    ASSERT_TRUE(file->append("ree"));
    ASSERT_TRUE(file->pwrite(10, "!"));
    ASSERT_TRUE(file->append("?"));
  }
  EXPECT_EQ(content("a"), Bytes("one tree\0\0!?", 12));
}

TEST_P(FileSystemTest, TruncateCutsAndExtendsWithZeros) {
  const auto file = open("a", OpenMode::create_new);
  ASSERT_TRUE(file->append(Bytes(2000, 'x')));
  ASSERT_TRUE(file->truncate(700));
  ASSERT_TRUE(file->truncate(900));
  EXPECT_EQ(content("a"), Bytes(700, 'x') + Bytes(200, '\0'));
}

TEST_P(FileSystemTest, AllocateGrowsWithZerosAndNeverShrinks) {
  const auto file = open("a", OpenMode::create_new);
  ASSERT_TRUE(file->append("abc"));
  ASSERT_TRUE(file->allocate(10));
  EXPECT_EQ(content("a"), "abc" + Bytes(7, '\0'));
  ASSERT_TRUE(file->allocate(4));
  EXPECT_EQ(file->size().value(), 10U);
}

TEST_P(FileSystemTest, EachModeTreatsWhatIsThereAsItSays) {
  EXPECT_FALSE(files().open(path("a"), OpenMode::read));
  open("a", OpenMode::read_write);
  const auto taken = files().open(path("a"), OpenMode::create_new);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code(), Code::busy);
  write("a", "kept");
  open("a", OpenMode::read_write);
  EXPECT_EQ(content("a"), "kept");
  open("a", OpenMode::truncate);
  EXPECT_EQ(content("a"), "");
}

TEST_P(FileSystemTest, AFileOpenedForReadingRefusesWrites) {
  write("a", "x");
  const auto file = open("a", OpenMode::read);
  EXPECT_FALSE(file->append("y"));
  EXPECT_FALSE(file->truncate(0));
  EXPECT_EQ(content("a"), "x");
}

TEST_P(FileSystemTest, AbsenceIsAnAnswerWhereItCanBeExpected) {
  EXPECT_EQ(files().open_if_exists(path("none")).value(), nullptr);
  EXPECT_EQ(files().stat(path("none")).value(), std::nullopt);
  EXPECT_EQ(files().stat(path("none/below")).value(), std::nullopt);
  EXPECT_FALSE(files().remove(path("none")).value());
  EXPECT_FALSE(files().remove_directory(path("none")).value());
  EXPECT_EQ(read_file(files(), path("none")).value(), std::nullopt);
  write("file", "x");
  EXPECT_EQ(files().stat(path("file/below")).value(), std::nullopt);
}

TEST_P(FileSystemTest, ErrorsNameTheCallAndThePath) {
  const auto opened = files().open(path("no/file"), OpenMode::read_write);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::io);
  EXPECT_EQ(opened.error().to_string(),
            "open '" + path("no/file") + "': No such file or directory");
  EXPECT_FALSE(files().list_directory(path("no"), [](std::string_view, FileKind) { return true; }));
  EXPECT_FALSE(files().sync_directory(path("no")));
  EXPECT_FALSE(files().create_directory(path("no/below")));
  const auto renamed = files().rename(path("no"), path("yes"));
  ASSERT_FALSE(renamed);
  EXPECT_THAT(renamed.error().to_string(), HasSubstr(path("yes")));
}

TEST_P(FileSystemTest, OnlyRegularFilesOpen) {
  ASSERT_TRUE(files().create_directory(path("folder")));
  EXPECT_FALSE(files().open(path("folder"), OpenMode::read));
  EXPECT_FALSE(files().open(path("folder"), OpenMode::read_write));
  EXPECT_FALSE(files().open_if_exists(path("folder")));
}

TEST_P(FileSystemTest, StatTellsKindSizeAndTimes) {
  write("a", "12345");
  const auto file = files().stat(path("a"));
  ASSERT_TRUE(file && *file);
  EXPECT_EQ((*file)->kind, FileKind::file);
  EXPECT_EQ((*file)->bytes, 5U);
  EXPECT_GT((*file)->created_ms, 1'600'000'000'000);
  EXPECT_GE((*file)->modified_ms, (*file)->created_ms);
  EXPECT_EQ((*files().stat(path("")))->kind, FileKind::directory);
}

TEST_P(FileSystemTest, ListsEveryEntryWithItsKindAndStopsWhenTold) {
  write("a", "");
  write("b", "");
  ASSERT_TRUE(files().create_directory(path("c")));
  write("c/below", "");
  EXPECT_THAT(names(), UnorderedElementsAre("a", "b", "c"));
  int folders = 0;
  ASSERT_TRUE(files().list_directory(path(""), [&](std::string_view, FileKind kind) {
    folders += kind == FileKind::directory ? 1 : 0;
    return true;
  }));
  EXPECT_EQ(folders, 1);
  int seen = 0;
  ASSERT_TRUE(files().list_directory(path(""), [&](std::string_view, FileKind) {
    ++seen;
    return seen < 2;
  }));
  EXPECT_EQ(seen, 2);
}

TEST_P(FileSystemTest, ListsAThousandEntriesOnceEach) {
  for (int i = 0; i < 1000; ++i) write(std::to_string(i), "");
  std::vector<std::string> found = names();
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found.size(), 1000U);
  EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end());
}

TEST_P(FileSystemTest, CreatesAndRemovesFolders) {
  EXPECT_TRUE(files().create_directory(path("a")).value());
  EXPECT_FALSE(files().create_directory(path("a")).value());
  write("a/file", "x");
  EXPECT_FALSE(files().remove_directory(path("a")));  // not empty
  EXPECT_FALSE(files().remove(path("a")));            // not a file
  EXPECT_TRUE(files().remove(path("a/file")).value());
  EXPECT_TRUE(files().remove_directory(path("a")).value());
  write("file", "x");
  EXPECT_FALSE(files().create_directory(path("file")));
  EXPECT_FALSE(files().remove_directory(path("file")));
}

TEST_P(FileSystemTest, RenameReplacesAndMoves) {
  ASSERT_TRUE(files().create_directory(path("d")));
  write("a", "new");
  write("d/b", "old");
  ASSERT_TRUE(files().rename(path("a"), path("d/b")));
  EXPECT_EQ(content("d/b"), "new");
  EXPECT_THAT(names(), UnorderedElementsAre("d"));
  ASSERT_TRUE(files().rename(path("d"), path("e")));
  EXPECT_EQ(content("e/b"), "new");
  ASSERT_TRUE(files().create_directory(path("f")));
  EXPECT_FALSE(files().rename(path("e/b"), path("f")));  // a file over a folder
  EXPECT_FALSE(files().rename(path("e"), path("e/below")));
}

TEST_P(FileSystemTest, AnOpenFileOutlivesItsName) {
  write("a", "x");
  const auto file = open("a", OpenMode::read_write);
  ASSERT_TRUE(files().remove(path("a")).value());
  ASSERT_TRUE(file->append("y"));
  std::array<char, 4> buffer{};
  EXPECT_EQ(file->pread(0, buffer).value(), 2U);
  write("a", "another");
  EXPECT_EQ(file->size().value(), 2U);
}

TEST_P(FileSystemTest, AClosedFileSaysSo) {
  const auto file = open("a", OpenMode::create_new);
  ASSERT_TRUE(file->append("x"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->close());
  std::array<char, 4> buffer{};
  EXPECT_EQ(file->append("y").error().code(), Code::closed);
  EXPECT_EQ(file->pread(0, buffer).error().code(), Code::closed);
  EXPECT_EQ(file->close().error().code(), Code::closed);
}

TEST_P(FileSystemTest, ALockKeepsOthersOutAndNamesItsHolder) {
  auto lock = files().lock_file(path("LOCK"));
  ASSERT_TRUE(lock) << lock.error().to_string();
  EXPECT_EQ(content("LOCK"), std::to_string(::getpid()) + "\n");
  const auto second = files().lock_file(path("LOCK"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::busy);
  EXPECT_EQ(second.error().to_string(),
            "lock '" + path("LOCK") + "': held by process " + std::to_string(::getpid()));
  lock->reset();
  EXPECT_TRUE(files().lock_file(path("LOCK")));
}

TEST_P(FileSystemTest, TellsSpace) {
  const auto space = files().space(path(""));
  ASSERT_TRUE(space);
  EXPECT_GT(space->total_bytes, 0U);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_P(FileSystemTest, AtomicWriteReplacesAndLeavesNothingBehind) {
  ASSERT_TRUE(write_file_atomically(files(), path("a"), "one"));
  ASSERT_TRUE(write_file_atomically(files(), path("a"), "two"));
  EXPECT_EQ(content("a"), "two");
  ASSERT_TRUE(files().create_directory(path("folder")));
  EXPECT_FALSE(write_file_atomically(files(), path("folder"), "x"));
  EXPECT_THAT(names(), UnorderedElementsAre("a", "folder"));
}

TEST_P(FileSystemTest, CreatesEveryMissingFolderAndRefusesAFileInTheWay) {
  ASSERT_TRUE(create_directories(files(), path("a/b/c")));
  ASSERT_TRUE(create_directories(files(), path("a/b/c")));
  write("a/b/c/file", "x");
  EXPECT_FALSE(create_directories(files(), path("a/b/c/file")));
  const auto below = create_directories(files(), path("a/b/c/file/d"));
  ASSERT_FALSE(below);
  EXPECT_THAT(below.error().to_string(), HasSubstr("not a folder"));
}

TEST_P(FileSystemTest, RemoveAllTakesAFolderWithAllInIt) {
  ASSERT_TRUE(create_directories(files(), path("a/b/c")));
  for (int i = 0; i < 10; ++i) write("a/b/" + std::to_string(i), "x");
  write("a/b/c/file", "x");
  write("other", "x");
  ASSERT_TRUE(remove_all(files(), path("a")));
  ASSERT_TRUE(remove_all(files(), path("a")));
  EXPECT_THAT(names(), UnorderedElementsAre("other"));
  ASSERT_TRUE(remove_all(files(), path("other")));
  EXPECT_THAT(names(), UnorderedElementsAre());
}

TEST_P(FileSystemTest, ReadFileRefusesMoreThanItsBound) {
  write("a", Bytes(100, 'x'));
  EXPECT_EQ(read_file(files(), path("a"), 100).value()->size(), 100U);
  EXPECT_EQ(read_file(files(), path("a"), 99).error().code(), Code::quota);
}

TEST_P(FileSystemTest, ReadExactlyCallsAnEarlyEndCorruption) {
  write("a", "12345");
  const auto file = open("a", OpenMode::read);
  std::array<char, 4> buffer{};
  ASSERT_TRUE(read_exactly(*file, 1, buffer));
  EXPECT_EQ(BytesView(buffer.data(), 4), "2345");
  const auto short_read = read_exactly(*file, 2, buffer);
  ASSERT_FALSE(short_read);
  EXPECT_EQ(short_read.error().code(), Code::corruption);
  EXPECT_EQ(short_read.error().to_string(),
            "'" + path("a") + "' ends at byte 5, inside the 4 bytes from 2");
}

TEST_P(FileSystemTest, AnOffsetBeyondWhatFilesCanHaveIsAnError) {
  const auto file = open("a", OpenMode::create_new);
  EXPECT_FALSE(file->pwrite(~std::uint64_t{0} - 10, "x"));
  EXPECT_FALSE(file->truncate(~std::uint64_t{0}));
  EXPECT_EQ(file->size().value(), 0U);
}

std::string name_of(const testing::TestParamInfo<Kind>& info) { return info.param.name; }

template <class R>
std::unique_ptr<Room> make() {
  return std::make_unique<R>();
}

INSTANTIATE_TEST_SUITE_P(Each, FileSystemTest,
                         testing::Values(Kind{"posix", make<PosixRoom>},
                                         Kind{"sim", make<SimRoom>}),
                         name_of);

}  // namespace
}  // namespace strata::io
