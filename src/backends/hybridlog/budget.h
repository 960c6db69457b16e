// MemoryBudget: one number of bytes that every part of a store takes from before it allocates.
//
// Always:  used() <= limit() but for what take() was told to take regardless.
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/check.h"

namespace strata::backends::hybridlog {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit_bytes) : limit_(limit_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// False, and nothing taken, when that would exceed the limit.
  bool try_take(std::uint64_t bytes) noexcept {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    while (used + bytes <= limit_) {
      if (used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  /// For what must go on: the excess is made good by others giving back.
  void take(std::uint64_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give(std::uint64_t bytes) noexcept {
    [[maybe_unused]] const std::uint64_t before = used_.fetch_sub(bytes, std::memory_order_relaxed);
    STRATA_DCHECK(before >= bytes);
  }
  std::uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  std::uint64_t limit() const noexcept { return limit_; }
  /// Bytes that may still be taken; 0 where more is used than allowed.
  std::uint64_t left() const noexcept {
    const std::uint64_t now = used();
    return now < limit_ ? limit_ - now : 0;
  }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};  // relaxed: a number that orders nothing
};

}  // namespace strata::backends::hybridlog
