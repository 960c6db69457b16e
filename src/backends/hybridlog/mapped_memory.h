// MappedMemory: zeroed memory straight from the system, counted against a budget; huge pages where
// they are to be had.
//
// Always:  bytes() were taken from the budget and go back to it at the end; at and above
//          kHugePageBytes the memory begins at a multiple of it.
// Threads: none of its own.
// Borrows: the budget, which must outlive it.
#pragma once

#include <cstddef>
#include <utility>

#include "backends/hybridlog/budget.h"

namespace strata::backends::hybridlog {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

class MappedMemory {
 public:
  MappedMemory() noexcept = default;
  /// Empty when the budget or the system has no room. `bytes` is rounded up to whole pages, huge
  /// ones from kHugePageBytes on. Nothing is touched yet.
  static MappedMemory map(MemoryBudget& budget, std::size_t bytes) noexcept;

  MappedMemory(MappedMemory&& other) noexcept
      : budget_(other.budget_),
        data_(std::exchange(other.data_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedMemory();

  explicit operator bool() const noexcept { return data_ != nullptr; }
  void* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  MappedMemory(MemoryBudget& budget, void* data, std::size_t bytes) noexcept
      : budget_(&budget), data_(data), bytes_(bytes) {}

  MemoryBudget* budget_ = nullptr;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace strata::backends::hybridlog
