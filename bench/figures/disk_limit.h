// DiskLimit: what the disk itself gives: random direct reads of 4 KiB, many in flight, from a file
// of the benchmark's own.
//
// By io_uring, or where the system forbids that by a thread for each read in flight; way() says
// which. Spoken to by system calls: what measures the limit shares no code with what is measured.
// Always:   each block read is checked for its number.
// Threads:  one at a time.
#pragma once

#include <cstdint>
#include <string>

namespace strata::bench {

class DiskLimit {
 public:
  static constexpr std::size_t kBlockBytes = 4096;
  static constexpr unsigned kDepth = 128;

  /// Writes the file, of about `bytes`, into `folder`.
  DiskLimit(const std::string& folder, std::uint64_t bytes);
  DiskLimit(const DiskLimit&) = delete;
  DiskLimit& operator=(const DiskLimit&) = delete;
  ~DiskLimit();

  double reads_per_second(std::int64_t run_ms);
  const char* way() const noexcept { return by_ring_ ? "io_uring" : "threads"; }

 private:
  std::string path_;
  std::uint64_t blocks_;
  int descriptor_ = -1;
  bool by_ring_ = true;
};

}  // namespace strata::bench
