// What only the machine's file system has: links, pipes, other processes.
#include "io/posix_file_system.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tuple>

#include "base/check.h"
#include "io/files.h"
#include "io/temp_folder.h"

namespace strata::io {
namespace {

TEST(PosixFileSystem, DoesNotWriteThroughASymbolicLink) {
  TempFolder folder;
  const std::string target = join_path(folder.path(), "target");
  const std::string link = join_path(folder.path(), "link");
  ASSERT_TRUE(posix().open(target, OpenMode::create_new));
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  EXPECT_FALSE(posix().open(link, OpenMode::truncate));
  EXPECT_FALSE(posix().lock_file(link));
  EXPECT_TRUE(posix().open(link, OpenMode::read));
}

TEST(PosixFileSystem, RemoveAllDoesNotFollowALinkOutOfTheFolder) {
  TempFolder folder;
  const std::string kept = join_path(folder.path(), "kept");
  const std::string gone = join_path(folder.path(), "gone");
  ASSERT_TRUE(create_directories(posix(), kept));
  ASSERT_TRUE(create_directories(posix(), gone));
  ASSERT_TRUE(posix().open(join_path(kept, "file"), OpenMode::create_new));
  ASSERT_EQ(::symlink(kept.c_str(), join_path(gone, "link").c_str()), 0);
  ASSERT_EQ(::symlink(kept.c_str(), join_path(folder.path(), "top").c_str()), 0);
  ASSERT_TRUE(remove_all(posix(), gone));
  ASSERT_TRUE(remove_all(posix(), join_path(folder.path(), "top")));
  EXPECT_TRUE(posix().stat(join_path(kept, "file")).value());
  EXPECT_FALSE(posix().stat(gone).value());
}

TEST(PosixFileSystem, OpeningANamedPipeFailsInsteadOfWaiting) {
  TempFolder folder;
  const std::string pipe = join_path(folder.path(), "pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(posix().open(pipe, OpenMode::read));
  EXPECT_FALSE(posix().open(pipe, OpenMode::read_write));
}

TEST(PosixFileSystem, AnotherProcessIsKeptOutAndTheLockGoesWithItsHolder) {
  TempFolder folder;
  const std::string path = join_path(folder.path(), "LOCK");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = posix().lock_file(path);
    char word = lock ? 'y' : 'n';
    if (::write(ready[1], &word, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char word = 0;
  ASSERT_EQ(::read(ready[0], &word, 1), 1);
  ASSERT_EQ(word, 'y');
  const auto refused = posix().lock_file(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().to_string(),
            "lock '" + path + "': held by process " + std::to_string(child));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(posix().lock_file(path));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(PosixFileSystem, ADirectFileIsCachedWhereTheVolumeCannotDoWithout) {
  // Files of the kernel's own are regular ones that refuse O_DIRECT everywhere.
  const auto file = posix().open_direct("/proc/self/status", OpenMode::read);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(::fcntl((*file)->descriptor(), F_GETFL) & (O_DIRECT | O_NONBLOCK), 0);
  alignas(kDirectBytes) char memory[2 * kDirectBytes];
  const auto got = (*file)->pread(0, memory);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(BytesView(memory, *got).substr(0, 5), "Name:");
}

TEST(PosixFileSystem, OpeningDirectlyFollowsNoLinkAndTakesNoPipe) {
  TempFolder folder;
  const std::string link = join_path(folder.path(), "link");
  const std::string pipe = join_path(folder.path(), "pipe");
  ASSERT_EQ(::symlink("target", link.c_str()), 0);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(posix().open_direct(link, OpenMode::read_write));
  EXPECT_FALSE(posix().open_direct(pipe, OpenMode::read));
  EXPECT_FALSE(posix().open_direct(folder.path(), OpenMode::read));
}

#if STRATA_DCHECK_IS_ON
TEST(PosixFileSystemDeathTest, ADirectFileIsReadAndWrittenInWholeUnits) {
  TempFolder folder;
  const auto file = posix().open_direct(join_path(folder.path(), "a"), OpenMode::create_new);
  ASSERT_TRUE(file);
  alignas(kDirectBytes) char memory[2 * kDirectBytes] = {};
  EXPECT_DEATH(std::ignore = (*file)->pread(512, {memory, kDirectBytes}), "check failed");
  EXPECT_DEATH(std::ignore = (*file)->pread(0, {memory + 1, kDirectBytes}), "check failed");
  EXPECT_DEATH(std::ignore = (*file)->pwrite(0, {memory, 100}), "check failed");
}
#endif

TEST(PosixFileSystem, DescriptorsAreNotInherited) {
  TempFolder folder;
  const auto file = posix().open(join_path(folder.path(), "a"), OpenMode::create_new);
  ASSERT_TRUE(file);
  int found = 0;
  for (int fd = 3; fd < 256; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    char target[256];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t n = flags < 0 ? -1 : ::readlink(link.c_str(), target, sizeof(target));
    if (n < 0 || std::string(target, static_cast<std::size_t>(n)) != (*file)->path()) continue;
    ++found;
    EXPECT_NE(flags & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace strata::io
