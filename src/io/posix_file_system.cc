// Strata's file calls as Linux has them: interrupted calls are repeated, short writes continued.
#include "io/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "base/quote.h"
#include "io/system_error.h"

namespace strata::io {
namespace {

constexpr mode_t kFileMode = 0640;                           // less the umask
constexpr mode_t kDirectoryMode = 0750;                      // less the umask
constexpr std::size_t kCallBytesMax = std::size_t{1} << 30;  // Linux takes just under 2 GiB

template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path, bool direct, std::uint64_t end)
      : fd_(std::move(fd)), path_(std::move(path)), direct_(direct), end_(end) {}

  Result<std::size_t> pread(std::uint64_t offset, std::span<char> to) override {
    STRATA_TRY(check_open("read"));
    STRATA_DCHECK(!direct_ || is_direct_aligned(offset, to));
    std::size_t done = 0;
    while (done < to.size()) {
      const std::size_t n = std::min(to.size() - done, kCallBytesMax);
      const ssize_t got = retry([&] {
        return ::pread(fd_.get(), to.data() + done, n, static_cast<off_t>(offset + done));
      });
      if (got < 0) return read_error(path_, offset + done, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
      // A part of a unit is there only at the end, and going on from within one is refused.
      if (direct_ && done % kDirectBytes != 0) break;
    }
    return done;
  }

  Result<> pwrite(std::uint64_t offset, BytesView bytes) override {
    STRATA_TRY(check_open("write"));
    STRATA_DCHECK(!direct_ || is_direct_aligned(offset, bytes));
    STRATA_TRY(write_all(offset, bytes));
    grow(offset + bytes.size());
    return {};
  }

  Result<> append(BytesView bytes) override {
    return pwrite(end_.load(std::memory_order_relaxed), bytes);
  }

  Result<> sync() override {
    STRATA_TRY(check_open("sync"));
    if (retry([&] { return ::fdatasync(fd_.get()); }) != 0) {
      return system_error("sync", path_, errno);
    }
    return {};
  }

  Result<> truncate(std::uint64_t bytes) override {
    STRATA_TRY(check_open("truncate"));
    if (retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) != 0) {
      return system_error("truncate", path_, errno);
    }
    end_.store(bytes, std::memory_order_relaxed);
    return {};
  }

  Result<> allocate(std::uint64_t bytes) override {
    STRATA_TRY(check_open("allocate"));
    if (bytes == 0) return {};
    if (retry([&] { return ::fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes)); }) != 0) {
      if (errno != EOPNOTSUPP && errno != ENOSYS) return system_error("allocate", path_, errno);
      STRATA_LET(const std::uint64_t now, size());
      if (now < bytes) return truncate(bytes);
    }
    grow(bytes);
    return {};
  }

  Result<std::uint64_t> size() override {
    STRATA_TRY(check_open("stat"));
    struct stat info{};
    if (::fstat(fd_.get(), &info) != 0) return system_error("stat", path_, errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

  Result<> close() override {
    STRATA_TRY(check_open("close"));
    // Linux has let go of the descriptor even when it answers EINTR.
    if (::close(fd_.release()) != 0 && errno != EINTR) return system_error("close", path_, errno);
    return {};
  }

  const std::string& path() const noexcept override { return path_; }
  int descriptor() const noexcept override { return fd_.get(); }
  bool is_direct() const noexcept override { return direct_; }

 private:
  Result<> check_open(std::string_view call) const {
    if (fd_.get() >= 0) return {};
    return Error(Code::closed, std::string(call) + " " + base::quote(path_) + ": used after close");
  }

  Result<> write_all(std::uint64_t offset, BytesView bytes) {
    while (!bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), kCallBytesMax);
      const ssize_t put =
          retry([&] { return ::pwrite(fd_.get(), bytes.data(), n, static_cast<off_t>(offset)); });
      if (put < 0) return system_error("write", path_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  void grow(std::uint64_t end) noexcept {
    std::uint64_t now = end_.load(std::memory_order_relaxed);
    while (now < end && !end_.compare_exchange_weak(now, end, std::memory_order_relaxed)) {
    }
  }

  Descriptor fd_;
  const std::string path_;
  const bool direct_;
  std::atomic<std::uint64_t> end_;  // relaxed: a number of its own, it publishes nothing
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;  // the lock belongs to the open file description and goes with it
};

int open_flags(OpenMode mode) {
  // O_NONBLOCK: opening a named pipe must fail below, not wait for its other end.
  constexpr int kAlways = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  constexpr int kWrites = kAlways | O_RDWR | O_CREAT | O_NOFOLLOW;
  switch (mode) {
    case OpenMode::read:
      return kAlways | O_RDONLY;
    case OpenMode::read_write:
      return kWrites;
    case OpenMode::create_new:
      return kWrites | O_EXCL;
    case OpenMode::truncate:
      return kWrites | O_TRUNC;
  }
  return kAlways | O_RDONLY;
}

enum class Caching : bool { cached, direct };

Result<std::unique_ptr<File>> adopt(Descriptor fd, const std::string& path,
                                    Caching caching = Caching::cached) {
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return system_error("open", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return Error(Code::io, "open " + base::quote(path, 512) + ": not a regular file");
  }
  const bool direct = caching == Caching::direct;
  // Not asked of open(), which leaves a new file lying when the volume refuses O_DIRECT. This also
  // ends O_NONBLOCK, under which io_uring gives up where it would have to wait.
  if (direct && ::fcntl(fd.get(), F_SETFL, O_DIRECT) != 0) {
    if (errno != EINVAL || ::fcntl(fd.get(), F_SETFL, 0) != 0) {
      return system_error("open", path, errno);
    }
  }
  return std::make_unique<PosixFile>(std::move(fd), path, direct,
                                     static_cast<std::uint64_t>(info.st_size));
}

std::int64_t to_ms(const statx_timestamp& time) {
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

FileKind kind_of(unsigned mode) {
  return S_ISREG(mode) ? FileKind::file : S_ISDIR(mode) ? FileKind::directory : FileKind::other;
}

FileKind kind_of(int folder, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return FileKind::file;
    case DT_DIR:
      return FileKind::directory;
    case DT_UNKNOWN: {  // some file systems do not keep it in the folder
      struct stat info{};
      if (::fstatat(folder, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) return FileKind::other;
      return kind_of(info.st_mode);
    }
    default:
      return FileKind::other;
  }
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

/// True: done. False: nothing was there.
Result<bool> done_or_absent(int result, std::string_view call, const std::string& path) {
  if (result == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return system_error(call, path, errno);
}

Error held_error(int fd, const std::string& path) {
  char text[32];
  const ssize_t n = ::pread(fd, text, sizeof(text), 0);
  long pid = 0;
  if (n > 0) std::from_chars(text, text + n, pid);
  const std::string holder = pid > 0 ? "process " + std::to_string(pid) : "another process";
  return Error(Code::busy, "lock " + base::quote(path, 512) + ": held by " + holder);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return open_as(path, mode, Caching::cached);
  }

  Result<std::unique_ptr<File>> open_direct(const std::string& path, OpenMode mode) override {
    return open_as(path, mode, Caching::direct);
  }

  Result<std::unique_ptr<File>> open_if_exists(const std::string& path) override {
    Descriptor fd(retry([&] { return ::open(path.c_str(), open_flags(OpenMode::read)); }));
    if (fd.get() < 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::unique_ptr<File>();
      return system_error("open", path, errno);
    }
    return adopt(std::move(fd), path);
  }

  Result<std::optional<FileInfo>> stat(const std::string& path) override {
    struct statx info{};
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &info) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileInfo>();
      return system_error("stat", path, errno);
    }
    FileInfo result;
    result.kind = kind_of(info.stx_mode);
    result.bytes = info.stx_size;
    result.modified_ms = to_ms(info.stx_mtime);
    result.created_ms = (info.stx_mask & STATX_BTIME) != 0
                            ? to_ms(info.stx_btime)
                            : std::min(to_ms(info.stx_mtime), to_ms(info.stx_ctime));
    return std::optional<FileInfo>(result);
  }

  Result<> list_directory(const std::string& path, const DirectoryVisitor& visit) override {
    Descriptor fd(retry(
        [&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK); }));
    if (fd.get() < 0) return system_error("list", path, errno);
    const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(fd.get()));
    if (directory == nullptr) return system_error("list", path, errno);
    const int folder = fd.release();  // the DIR closes it
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(directory.get());
      if (entry == nullptr) {
        if (errno != 0) return system_error("list", path, errno);
        return {};
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (!visit(name, kind_of(folder, *entry))) return {};
    }
  }

  Result<bool> create_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) return true;
    const int error_number = errno;
    if (error_number == EEXIST) {
      STRATA_LET(const std::optional<FileInfo> info, stat(path));
      if (info && info->kind == FileKind::directory) return false;
    }
    return system_error("create folder", path, error_number);
  }

  Result<bool> remove(const std::string& path) override {
    return done_or_absent(::unlink(path.c_str()), "remove", path);
  }

  Result<bool> remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    return system_error("remove folder", path, errno);
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      Error error = system_error("rename", from, errno);
      return Error(error.code(), error.message() + " (to " + base::quote(to, 512) + ")");
    }
    return {};
  }

  Result<> sync_directory(const std::string& path) override {
    const Descriptor fd(
        retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0 || retry([&] { return ::fsync(fd.get()); }) != 0) {
      return system_error("sync folder", path, errno);
    }
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override {
    Descriptor fd(
        retry([&] { return ::open(path.c_str(), open_flags(OpenMode::read_write), kFileMode); }));
    if (fd.get() < 0) return system_error("lock", path, errno);
    // A lock of the open file description: it also keeps out a second opening in this process.
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (retry([&] { return ::fcntl(fd.get(), F_OFD_SETLK, &lock); }) != 0) {
      if (errno == EAGAIN || errno == EACCES) return held_error(fd.get(), path);
      return system_error("lock", path, errno);
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      return system_error("write", path, errno);
    }
    return std::make_unique<PosixLock>(std::move(fd));
  }

  Result<SpaceInfo> space(const std::string& path) override {
    struct statvfs info{};
    if (retry([&] { return ::statvfs(path.c_str(), &info); }) != 0) {
      return system_error("space of", path, errno);
    }
    return SpaceInfo{.total_bytes = std::uint64_t{info.f_blocks} * info.f_frsize,
                     .free_bytes = std::uint64_t{info.f_bavail} * info.f_frsize};
  }

  bool has_descriptors() const noexcept override { return true; }

 private:
  static Result<std::unique_ptr<File>> open_as(const std::string& path, OpenMode mode,
                                               Caching caching) {
    Descriptor fd(retry([&] { return ::open(path.c_str(), open_flags(mode), kFileMode); }));
    if (fd.get() < 0) return system_error("open", path, errno);
    return adopt(std::move(fd), path, caching);
  }
};

}  // namespace

FileSystem& posix() noexcept {
  static PosixFileSystem files;
  return files;
}

}  // namespace strata::io
