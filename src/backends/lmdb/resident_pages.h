// ResidentPages: bounds how many pages of an LMDB map count as memory of this process.
//
// LMDB reads through a map of its file, and each page that was ever looked at stays in the page
// tables: a scan over a store of 100 GB would show as 100 GB of memory, and in a container count
// against its limit first. Who walks over much, or writes much, says so here; after
// kTouchedBytesMax the whole map is taken out of the page tables. The bytes stay in the kernel's
// page cache, and a page that is wanted again comes back by a minor fault.
//
// Always:  changes what the process holds, never what a read sees: LMDB's map is shared and
//          read-only (no WRITEMAP).
// Threads: any, but find(): its caller is alone with the map.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace strata::backends::lmdb {

class ResidentPages {
 public:
  static constexpr std::uint64_t kTouchedBytesMax = 32ull * 1024 * 1024;
  /// Linux maps so much around a page that is looked at (fault_around_bytes), if it is cached.
  static constexpr std::uint64_t kMappedAtOnce = 64ull * 1024;
  /// What a change of one record is taken for beside its own bytes: it looks at a path of pages, of
  /// which those at the upper end are shared with other changes.
  static constexpr std::uint64_t kTouchedByChange = kMappedAtOnce;

  /// Finds the map that `inside` points into. If it cannot be found nothing is ever let go.
  void find(const void* inside);
  /// The map is about to go or move.
  void forget() noexcept { map_ = nullptr; }
  /// `bytes` of the map were looked at, by a reader or a writer.
  void touched(std::uint64_t bytes) noexcept;

 private:
  void* map_ = nullptr;
  std::size_t map_bytes_ = 0;
  // relaxed: a figure; who brings it over the bound lets go.
  std::atomic<std::uint64_t> touched_{0};
};

}  // namespace strata::backends::lmdb
