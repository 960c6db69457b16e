// FileSystem and File: every file that Strata touches goes through these.
//
// There are two: posix() is the machine's; SimFileSystem lives in memory, loses what was not
// synced, and fails when it is told to. Code that keeps data holds a FileSystem& and never knows
// which.
//
// What survives a loss of power, and the only things that do:
//   bytes of a file             once File::sync() returned after they were written
//   that a name exists (not)    once sync_directory() of its folder returned after it was created,
//                               renamed or removed; until then either state may come back
//   a rename                    is whole: the old names or the new ones, never half
//
// Errors:  name the call, the path and the system's reason. No space or quota left: Code::quota;
//          a name that is taken already or a lock held: Code::busy; else Code::io. A path that is
//          not there is an answer, not an error, where a caller can expect it (stat,
//          open_if_exists, remove, read_file), and an error elsewhere.
// Threads: a FileSystem may be used from any thread. A File too, except append(), which is one
//          caller at a time, and close(), which is the last call.
// Paths:   '/' separates; as the system takes them (relative ones from the working folder).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::io {

/// What offsets, lengths and memory of a direct file are multiples of.
inline constexpr std::size_t kDirectBytes = 4096;

/// Whether a direct file takes it so.
inline bool is_direct_aligned(std::uint64_t offset, std::span<const char> memory) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return (offset | address | memory.size()) % kDirectBytes == 0;
}

enum class FileKind : unsigned char {
  file,
  directory,
  other  ///< a symbolic link (in listings), a socket, a device
};

struct FileInfo {
  FileKind kind = FileKind::other;
  std::uint64_t bytes = 0;
  std::int64_t created_ms = 0;   ///< wall time; the oldest time known where none is kept
  std::int64_t modified_ms = 0;  ///< wall time
};

struct SpaceInfo {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  ///< what this process may still use
};

enum class OpenMode : unsigned char {
  read,        ///< must exist; writes are refused
  read_write,  ///< created when absent, kept as it is when there
  create_new,  ///< must not exist (Code::busy)
  truncate     ///< created when absent, emptied when there
};

/// An open regular file. Its end closes it.
class File {
 public:
  virtual ~File() = default;

  /// Fills `to` from `offset` on; gives how many bytes there were: fewer than asked for only at
  /// the end of the file.
  virtual Result<std::size_t> pread(std::uint64_t offset, std::span<char> to) = 0;
  /// Writes all of `bytes` at `offset`, growing the file (a gap reads as zeros). After an error
  /// any part of them may have been written.
  virtual Result<> pwrite(std::uint64_t offset, BytesView bytes) = 0;
  /// Writes all of `bytes` behind the last byte that this File knows of: the end at open, moved by
  /// its own append, pwrite, truncate and allocate. After an error the end is where it was.
  virtual Result<> append(BytesView bytes) = 0;
  /// All bytes written before, and the size, are durable when it returns. An error is final for
  /// those bytes: the system may have dropped them, so it must not be called again in hope.
  virtual Result<> sync() = 0;
  virtual Result<> truncate(std::uint64_t bytes) = 0;
  /// Makes sure of room for bytes [0, `bytes`): the file grows to at least that, with zeros. Where
  /// the system cannot reserve, only the size changes.
  virtual Result<> allocate(std::uint64_t bytes) = 0;
  virtual Result<std::uint64_t> size() = 0;
  /// Closes now, to see its error; every later call fails with Code::closed.
  virtual Result<> close() = 0;
  /// As it was given to open.
  virtual const std::string& path() const noexcept = 0;
  /// What the system knows the file by, or -1 where it knows nothing of it. For a ReadQueue; valid
  /// until close().
  virtual int descriptor() const noexcept { return -1; }
  /// Opened by open_direct() of a file system that asks for aligned reads and writes.
  virtual bool is_direct() const noexcept { return false; }
};

/// Keeps other processes and other FileLocks out until its end.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Is called for each entry; false ends the listing. `name` is valid during the call.
using DirectoryVisitor = std::function<bool(std::string_view name, FileKind kind)>;

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Opens a regular file; anything else is refused. A mode that writes does not follow a symbolic
  /// link at the end of `path`.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// As open(), for bytes that the system shall not cache. Reads and writes are aligned: offset,
  /// length and memory are multiples of kDirectBytes, or the program is wrong. A read may reach
  /// beyond the end of the file; the memory behind what there was may be written to, too. Where the
  /// volume cannot do it the file is cached after all.
  virtual Result<std::unique_ptr<File>> open_direct(const std::string& path, OpenMode mode) {
    return open(path, mode);
  }
  /// open(path, OpenMode::read), or null when nothing is there.
  virtual Result<std::unique_ptr<File>> open_if_exists(const std::string& path) = 0;

  /// Absent: nothing is there. Follows symbolic links.
  virtual Result<std::optional<FileInfo>> stat(const std::string& path) = 0;
  /// Every entry but "." and "..", in no order, in bounded memory however many there are. Entries
  /// that come or go meanwhile may be seen or not.
  virtual Result<> list_directory(const std::string& path, const DirectoryVisitor& visit) = 0;

  /// False when a folder is there already; its parent must exist.
  virtual Result<bool> create_directory(const std::string& path) = 0;
  /// False when nothing was there. Not for folders. Open Files of it stay usable.
  virtual Result<bool> remove(const std::string& path) = 0;
  /// False when nothing was there. The folder must be empty.
  virtual Result<bool> remove_directory(const std::string& path) = 0;
  /// Replaces a file at `to`.
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  /// Every change of names in this folder made before is durable when it returns.
  virtual Result<> sync_directory(const std::string& path) = 0;

  /// Creates the file when absent, writes this process's number into it and holds it. When another
  /// holds it: Code::busy, and the message names the holder's number and the path.
  virtual Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) = 0;
  /// Of the volume that `path` (which must exist) lies on.
  virtual Result<SpaceInfo> space(const std::string& path) = 0;
  /// Whether its open files have a File::descriptor().
  virtual bool has_descriptors() const noexcept { return false; }
};

}  // namespace strata::io
