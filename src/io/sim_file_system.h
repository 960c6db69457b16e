// SimFileSystem: a machine's disk in memory that fails on request and loses power, from a seed.
//
// The model, on the pessimistic side of what Linux file systems do:
//   * The root folder is there at the start and is durable; "/a" and "a" are the same path.
//   * Bytes become durable by File::sync() alone. After a crash each 512-byte sector written since
//     then is the old one or a newer one, by itself; a file that grew has its old size, its new one
//     or any multiple of 512 between; sectors that did not reach the disk read as zeros. Now and
//     then (Options::write_back_one_in) some of a file's sectors reach the disk unasked, so that
//     states between two syncs can come back as well.
//   * A sync that fails drops what it should have written: reads still show it, a later sync
//     succeeds without writing it, and the next crash takes it away.
//   * That a name exists, or not, becomes durable by sync_directory() of its folder alone: a
//     synced file without its name is lost. Names survive each for itself, but those of one name
//     in the order they were made; a rename is whole, and between two folders needs both synced.
//   * Space is counted in bytes of files, a removed one until nobody has it open and its removal is
//     durable. When it runs out, or when a write is told to fail, a part of it may have happened.
//   * There are no links and no '..'. Locks hold between the users of one SimFileSystem.
//
// A crash:  crash_after(n) lets n more mutating calls happen, then every call fails until crash(),
//           which loses what it loses and gives the machine back as if restarted. Files and locks
//           from before answer errors for ever.
// Threads:  any. With one thread every choice follows from the seed; with several, from the order
//           of their calls too.
// Owns:     all content. Files may outlive it. Borrows: the Clock, for times and delays.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "io/file_system.h"
#include "io/sim_content.h"

namespace strata::io {

/// The calls that can be told to fail or wait.
enum class SimCall : unsigned char {
  any,
  open,  ///< open and open_if_exists
  read,
  write,  ///< pwrite and append
  sync,
  truncate,
  allocate,
  close,
  stat,  ///< stat and size
  list_directory,
  create_directory,
  remove,  ///< remove and remove_directory
  rename,  ///< by the path it renames from
  sync_directory,
  lock,
  space
};

/// What shall happen to calls to come.
struct SimFault {
  SimCall call = SimCall::any;
  std::string path_contains = {};  ///< only calls whose path has this in it
  std::uint64_t skip = 0;          ///< so many such calls pass first
  std::uint64_t times = 1;         ///< then so many are hit
  int error_number = EIO;          ///< ENOSPC, EIO, ...; 0: the call succeeds
  std::int64_t delay_ms = 0;       ///< it waits first, by the Clock
};

struct SimOptions {
  std::uint64_t capacity_bytes = std::uint64_t{4} << 30;
  std::uint64_t write_back_one_in = 32;  ///< writes, on average; 0: never
};

struct SimMachine;

class SimFileSystem final : public FileSystem {
 public:
  SimFileSystem(std::uint64_t seed, base::Clock& clock, SimOptions options = {});
  ~SimFileSystem() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<File>> open_if_exists(const std::string& path) override;
  Result<std::optional<FileInfo>> stat(const std::string& path) override;
  Result<> list_directory(const std::string& path, const DirectoryVisitor& visit) override;
  Result<bool> create_directory(const std::string& path) override;
  Result<bool> remove(const std::string& path) override;
  Result<bool> remove_directory(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override;
  Result<SpaceInfo> space(const std::string& path) override;

  /// Adds to the faults that wait; the first one that fits a call hits it.
  void inject(SimFault fault);
  void clear_faults();

  /// Calls so far that change something, or make it durable: opens for writing, writes, truncates,
  /// allocates, syncs, creates, removes, renames, locks.
  std::uint64_t mutating_calls() const;
  /// The machine goes down before the mutating call after the next `calls` ones.
  void crash_after(std::uint64_t calls);
  /// True once that has happened: every call fails.
  bool is_down() const;
  /// Power is lost and comes back. Ends is_down() and crash_after(); faults stay.
  void crash(CrashStyle style = CrashStyle::random);

  /// Flips bit `bit` (counted from the file's start) of what the disk holds and reads show.
  Result<> flip_bit(const std::string& path, std::uint64_t bit);
  /// Flips one by the seed; gives which. The file must not be empty.
  Result<std::uint64_t> flip_random_bit(const std::string& path);
  void set_capacity_bytes(std::uint64_t bytes);

 private:
  Result<std::unique_ptr<File>> open_node(const std::string& path, OpenMode mode,
                                          bool absence_is_an_answer);
  Result<bool> remove_node(const std::string& path, FileKind kind);

  std::shared_ptr<SimMachine> machine_;
};

}  // namespace strata::io
