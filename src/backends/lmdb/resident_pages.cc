#include "backends/lmdb/resident_pages.h"

#include <sys/mman.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>

namespace strata::backends::lmdb {

// LMDB does not tell where its map lies; the kernel does, a line a map: "begin-end ...".
void ResidentPages::find(const void* inside) {
  forget();
  const auto wanted = reinterpret_cast<std::uintptr_t>(inside);
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) != 2) continue;
    if (wanted < begin || wanted >= end) continue;
    map_ = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr)
    map_bytes_ = end - begin;
    return;
  }
}

void ResidentPages::touched(std::uint64_t bytes) noexcept {
  const std::uint64_t before = touched_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes < kTouchedBytesMax || before >= kTouchedBytesMax) return;
  touched_.store(0, std::memory_order_relaxed);
  if (map_ != nullptr) madvise(map_, map_bytes_, MADV_DONTNEED);
}

}  // namespace strata::backends::lmdb
