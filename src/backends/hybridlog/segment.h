// Segment: one file of the log on disk: written frame by frame, sealed with a table of checksums,
// never changed afterwards.
//
//   0        4096                              data end (to 4 KiB)
//   +--------+------------------------------+-------------------+---------+
//   | header | data: the log's bytes        | crc32c per 4 KiB  | trailer |
//   +--------+------------------------------+-------------------+---------+
//
// Format:  docs/formats/hybridlog.md
// Borrows: the FileSystem.
// Threads: write() and seal() from one; check() and file() from any, for what was written before.
// Always:  bytes are handed out only by who checked them with check(); a file whose trailer is
//          missing or wrong does not open.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::backends::hybridlog {

inline constexpr std::size_t kUnitBytes = 4096;
inline constexpr std::size_t kSegmentHeaderBytes = kUnitBytes;

/// Memory for direct I/O: aligned to kUnitBytes, its length a multiple of it.
class UnitBuffer {
 public:
  UnitBuffer() noexcept = default;
  /// Room for at least `bytes`; what was in it is lost unless it was large enough.
  void reserve(std::size_t bytes);
  char* data() noexcept { return data_.get(); }
  const char* data() const noexcept { return data_.get(); }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  struct Free {
    void operator()(char* at) const noexcept;
  };
  std::unique_ptr<char, Free> data_;
  std::size_t capacity_ = 0;
};

/// Which store a segment belongs to.
struct StoreId {
  std::uint8_t bytes[16] = {};
  friend bool operator==(const StoreId&, const StoreId&) = default;
};

class Segment {
 public:
  /// A new file, for up to `data_bytes_max` bytes of the log from `first` on.
  static Result<std::shared_ptr<Segment>> create(io::FileSystem& files, const std::string& folder,
                                                 const StoreId& store, std::uint64_t number,
                                                 std::uint64_t first, std::uint64_t data_bytes_max);
  /// A sealed one. Checks header, trailer and table.
  static Result<std::shared_ptr<Segment>> open(io::FileSystem& files, const std::string& folder,
                                               const StoreId& store, std::uint64_t number,
                                               std::uint64_t first, std::uint64_t data_bytes);
  static std::string name_of(std::uint64_t number);

  /// Writes the log's bytes from `offset` (of the data) on; both whole units, in rising order.
  /// After an error the same bytes may be written again.
  Result<> write(std::uint64_t offset, std::span<const char> bytes);
  /// Writes table and trailer; all of it, and its name, are durable when it returns. `data_bytes`
  /// may end within the last unit written. Once a sync has failed, write() and seal() fail with its
  /// error: what was written before may be lost.
  Result<> seal(std::uint64_t data_bytes);

  /// Whether whole units from `offset` (of the data) on are what was written; corruption names the
  /// file and the place.
  Result<> check(std::uint64_t offset, std::span<const char> units) const;

  io::File& file() noexcept { return *file_; }
  std::uint64_t number() const noexcept { return number_; }
  std::uint64_t first() const noexcept { return first_; }
  /// Bytes of the log in it; of an unsealed one, written so far.
  std::uint64_t data_bytes() const noexcept { return data_bytes_.load(std::memory_order_acquire); }
  std::uint64_t bytes_on_disk() const noexcept;
  bool sealed() const noexcept { return sealed_; }
  const std::string& path() const noexcept { return path_; }

 private:
  explicit Segment(io::FileSystem& files) : files_(files) {}
  Result<> sync();
  Result<> read_trailer(std::uint64_t data_bytes);

  io::FileSystem& files_;
  std::string path_;
  std::uint64_t number_ = 0;
  std::uint64_t first_ = 0;
  StoreId store_;
  std::unique_ptr<io::File> file_;
  std::vector<std::uint32_t> crcs_;           // one a unit; set before data_bytes_ covers it
  std::atomic<std::uint64_t> data_bytes_{0};  // release in write(); acquire by readers
  bool sealed_ = false;
  Result<> failure_;  // of a sync
};

}  // namespace strata::backends::hybridlog
