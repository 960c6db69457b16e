// ExtentStore: values too large for the log, each in a place of its own that is written once.
//
//   0       8    10   16  24     32          36   40      48   60        64
//   +-------+----+----+---+------+-----------+----+-------+----+---------+- - - - - - - -+
//   | magic | fmt| 0  | id| bytes| crc(bytes)| 0  | key id| 0  | crc(60) | the bytes     |
//   +-------+----+----+---+------+-----------+----+-------+----+---------+- - - - - - - -+
//   file: <folder>/<low byte of id, 2 hex digits>/<id, 16 hex digits>.ext
//
// Without a folder nothing is written: extents live in memory until they are released.
//
// Format:  docs/formats/hybridlog.md
// Threads: any; drop_dead() and remove_unknown() one caller at a time. Every call may sleep on a
//          lock, and all but cached(), release() and figures on the device: never inside an
//          Epoch::Guard.
// Owns:    the folder, and all that is in it. Borrows: FileSystem and MemoryBudget, which must
//          outlive it; what read() gave may outlive all of them.
// Always:  a number is never given twice; bytes of a file never change; bytes in memory, those that
//          only a reader still holds included, are taken from the budget; once a sync has failed,
//          write() and sync() fail with its error.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/hybridlog/budget.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "strata/bytes.h"
#include "strata/function_ref.h"
#include "strata/result.h"

namespace strata::backends::hybridlog {

inline constexpr std::size_t kExtentRefBytes = 20;
inline constexpr std::size_t kExtentHeaderBytes = 64;

/// What a record holds in place of the value.
struct ExtentRef {
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;  ///< of the bytes

  /// Appends kExtentRefBytes: the three fields, little-endian.
  void encode(Bytes& to) const;
  /// Nothing where `from` has another length.
  static std::optional<ExtentRef> decode(BytesView from) noexcept;
  friend bool operator==(const ExtentRef&, const ExtentRef&) = default;
};

class ExtentStore {
 public:
  /// Creates the folder where it is not there. Empty: memory only.
  static Result<std::unique_ptr<ExtentStore>> open(io::FileSystem& files, std::string folder,
                                                   MemoryBudget& budget, bool read_only);
  ~ExtentStore();
  ExtentStore(const ExtentStore&) = delete;
  ExtentStore& operator=(const ExtentStore&) = delete;

  /// Not durable before the next sync(). No room on the device or, in memory only, in the budget:
  /// Code::quota. After an error nothing of it is left.
  Result<ExtentRef> write(BytesView value) STRATA_EXCLUDES(mutex_);
  /// A share of the bytes, checked. Not what was written, or not there: Code::corruption. (An
  /// extent that was released meanwhile may be gone: look the record up again before believing it.)
  Result<std::shared_ptr<const Bytes>> read(const ExtentRef& ref) STRATA_EXCLUDES(mutex_);
  /// The same when it is in memory, else null.
  std::shared_ptr<const Bytes> cached(const ExtentRef& ref) STRATA_EXCLUDES(mutex_);
  /// No record names it from now on. Its memory is given back; its file stays until drop_dead().
  void release(const ExtentRef& ref) STRATA_EXCLUDES(mutex_);

  /// Everything written before is durable when it returns, whether released since or not (a log may
  /// name it still). An error of the device is final.
  Result<> sync() STRATA_EXCLUDES(sync_mutex_, mutex_);

  /// Above every number given out so far.
  std::uint64_t next_id() const STRATA_EXCLUDES(mutex_);
  /// At open, from the manifest and the log. Never lowers it.
  void set_next_id(std::uint64_t id) STRATA_EXCLUDES(mutex_);

  /// How many were ever released. A manifest that was made durable later names none of them: then
  /// drop_dead(mark) unlinks their files. After an error the rest are still to be dropped.
  std::size_t dead_mark() const STRATA_EXCLUDES(mutex_);
  Result<> drop_dead(std::size_t mark) STRATA_EXCLUDES(sync_mutex_, mutex_);
  /// At open, before any write: removes the files that are not known, raises next_id() above all
  /// that were there, and counts the known ones (one stat each). Read-only: removes nothing.
  Result<> remove_unknown(FunctionRef<bool(std::uint64_t id)> known) STRATA_EXCLUDES(mutex_);

  /// Gives back at least so many bytes of the cache, if it has them. For when memory is short.
  void shrink(std::uint64_t bytes) STRATA_EXCLUDES(mutex_);

  std::uint64_t count() const STRATA_EXCLUDES(mutex_);       ///< not released
  std::uint64_t bytes_disk() const STRATA_EXCLUDES(mutex_);  ///< of all files, the dead ones' too
  std::uint64_t bytes_memory() const;                        ///< as taken from the budget

 private:
  class Account;
  using Share = std::shared_ptr<const Bytes>;
  struct Held {
    Share share;
    std::list<std::uint64_t>::iterator use;
  };
  using HeldMap = std::unordered_map<std::uint64_t, Held>;

  ExtentStore(io::FileSystem& files, std::string folder, MemoryBudget& budget, bool read_only);

  bool memory_only() const noexcept { return folder_.empty(); }
  std::string folder_of(std::uint64_t low_byte) const;
  std::string path_of(std::uint64_t id) const;
  Result<> prepare_folder(std::uint64_t low_byte) STRATA_EXCLUDES(mutex_);
  Result<> write_file(const ExtentRef& ref, BytesView value);
  Result<Share> read_file(const ExtentRef& ref);
  Result<> sync_files(const std::vector<std::uint64_t>& ids, bool root, bool& lost);
  Result<std::vector<std::string>> names_in(std::uint64_t low_byte);

  /// Takes memory for a value of so many bytes, if need be from the cache.
  bool take_memory(std::uint64_t bytes) STRATA_EXCLUDES(mutex_);
  bool fits_cache(std::uint64_t bytes) const noexcept;
  /// Into the cache, or what holds all in memory only. Gives the share that is there then.
  Share keep(std::uint64_t id, Share share) STRATA_EXCLUDES(mutex_);
  /// The longest unused leave, into `gone`, until so many bytes are left; `gone` is to end once
  /// the lock is given up, since freeing much memory takes its time.
  void evict(std::uint64_t bytes_left, std::vector<Share>& gone) STRATA_REQUIRES(mutex_);
  void drop(HeldMap::iterator at, std::vector<Share>& gone) STRATA_REQUIRES(mutex_);

  io::FileSystem& files_;
  const std::string folder_;
  const bool read_only_;
  const std::uint64_t cache_bytes_max_;
  const std::shared_ptr<Account> account_;

  // One sync at a time, as each promises what another took; no unlinking meanwhile.
  base::Mutex sync_mutex_ STRATA_ACQUIRED_BEFORE(mutex_);
  mutable base::Mutex mutex_;
  std::uint64_t next_id_ STRATA_GUARDED_BY(mutex_) = 1;
  std::uint64_t count_ STRATA_GUARDED_BY(mutex_) = 0;
  std::uint64_t bytes_disk_ STRATA_GUARDED_BY(mutex_) = 0;
  HeldMap held_ STRATA_GUARDED_BY(mutex_);                   // the cache; memory only: all there is
  std::list<std::uint64_t> uses_ STRATA_GUARDED_BY(mutex_);  // of what is held, the oldest first
  std::uint64_t held_bytes_ STRATA_GUARDED_BY(mutex_) = 0;
  std::vector<std::uint64_t> unsynced_ STRATA_GUARDED_BY(mutex_);
  std::bitset<256> folders_made_ STRATA_GUARDED_BY(mutex_);
  bool root_unsynced_ STRATA_GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ STRATA_GUARDED_BY(mutex_);
  std::deque<ExtentRef> dead_ STRATA_GUARDED_BY(mutex_);
  std::size_t dropped_ STRATA_GUARDED_BY(mutex_) = 0;
};

}  // namespace strata::backends::hybridlog
