// OverflowSlab: the buckets that others overflow into, by number, never moving.
//
// Always:  a bucket in the slab is empty; number 0 is none. take() makes no system call while a
//          reserve is there, and tend(), called where no lock is held, keeps it.
// Threads: any.
// Owns:    its chunks until its own end, so that a reader with an old number reads a bucket, if
//          perhaps another chain's; the word of the chain's first bucket then differs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/hybridlog/bucket.h"
#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/mapped_memory.h"

namespace strata::backends::hybridlog {

class OverflowSlab {
 public:
  static constexpr std::uint32_t kChunkBuckets = 1u << 12;
  static constexpr std::uint32_t kChunks = 1u << 12;
  static constexpr std::uint32_t kReserve = kChunkBuckets / 4;

  explicit OverflowSlab(MemoryBudget& budget);
  OverflowSlab(const OverflowSlab&) = delete;
  OverflowSlab& operator=(const OverflowSlab&) = delete;

  Bucket& operator[](std::uint32_t number) const noexcept {
    STRATA_DCHECK(number != 0);
    return chunks_[number / kChunkBuckets].load(std::memory_order_acquire)[number % kChunkBuckets];
  }
  /// 0: no memory. The bucket is empty and its word 0.
  std::uint32_t take() noexcept;
  /// `number`'s entries must be empty.
  void give(std::uint32_t number) noexcept;
  /// Makes the reserve good, unless somebody else is at it. False: no memory.
  bool tend() noexcept { return free() >= kReserve || add_chunk(); }

  std::uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const noexcept {
    return directory_.bytes() + total_.load(std::memory_order_relaxed) * sizeof(Bucket);
  }

 private:
  std::uint64_t free() const noexcept {
    const std::uint64_t total = total_.load(std::memory_order_relaxed);
    const std::uint64_t used = this->used();
    return used < total ? total - used : 0;
  }
  std::uint32_t pop() noexcept;
  void push(std::uint32_t first, std::uint32_t last) noexcept;
  /// False: no memory. True also if another thread is at it, or was: look again.
  bool add_chunk() noexcept;
  bool add_chunk_alone() noexcept;

  MemoryBudget& budget_;
  const MappedMemory directory_;
  /// In directory_, null if there was no memory. Elements: release in add_chunk(), acquire.
  std::atomic<Bucket*>* const chunks_;
  std::atomic<bool> adding_{false};                // acquire and release: a try-lock of memory_
  std::vector<MappedMemory> memory_;               // of the chunks
  std::atomic<std::uint64_t> total_{0};            // relaxed: a figure
  alignas(64) std::atomic<std::uint64_t> top_{0};  // acq_rel: the free list; {turns:40, number:24}
  std::atomic<std::uint64_t> used_{0};             // relaxed: a figure
};

}  // namespace strata::backends::hybridlog
