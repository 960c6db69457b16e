#include "backends/hybridlog/mapped_memory.h"

#include <sys/mman.h>

#include <cstdint>

namespace strata::backends::hybridlog {
namespace {

constexpr std::size_t kPageBytes = 4096;

/// Null, or `bytes` from a multiple of `align` on; both are whole pages.
void* map_aligned(std::size_t bytes, std::size_t align) noexcept {
  const std::size_t slack = align > kPageBytes ? align : 0;
  void* const mapped =
      ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (slack == 0) return mapped;
  char* const begin = static_cast<char*>(mapped);
  const std::size_t before = (align - reinterpret_cast<std::uintptr_t>(begin) % align) % align;
  if (before != 0) ::munmap(begin, before);
  if (before != slack) ::munmap(begin + before + bytes, slack - before);
  return begin + before;
}

}  // namespace

MappedMemory MappedMemory::map(MemoryBudget& budget, std::size_t bytes) noexcept {
  const std::size_t page = bytes >= kHugePageBytes ? kHugePageBytes : kPageBytes;
  bytes = (bytes + page - 1) / page * page;
  if (!budget.try_take(bytes)) return {};
  void* const data = map_aligned(bytes, page);
  if (data == nullptr) {
    budget.give(bytes);
    return {};
  }
  // Advice: without huge pages it is only slower.
  if (page == kHugePageBytes) ::madvise(data, bytes, MADV_HUGEPAGE);
  return MappedMemory(budget, data, bytes);
}

MappedMemory::~MappedMemory() {
  if (data_ == nullptr) return;
  ::munmap(data_, bytes_);
  budget_->give(bytes_);
}

}  // namespace strata::backends::hybridlog
