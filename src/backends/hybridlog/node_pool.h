// NodePool: the memory of an ordered index: nodes of one size from chunks of their own, and keys
// that are too long for a node.
//
//   chunk: [node][node] ... 64 KiB at first, then an eighth of all, 2 MiB at most
//
// Always:  chunks and long keys are taken from the budget; nodes that were given back are used
// again,
//          their chunks stay until the pool's end.
// Threads: any.
// Borrows: the budget, which must outlive it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "backends/hybridlog/bucket.h"
#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/mapped_memory.h"
#include "backends/hybridlog/ordered_node.h"

namespace strata::backends::hybridlog {

class NodePool {
 public:
  explicit NodePool(MemoryBudget& budget) noexcept : budget_(budget) {}
  NodePool(const NodePool&) = delete;
  NodePool& operator=(const NodePool&) = delete;

  /// Null: no memory. What is in the node is to be built; its lock is free.
  OrderedNode* take() {
    const Hold hold(*this);
    if (free_ == nullptr && fresh_ == fresh_end_ && !add_chunk()) return nullptr;
    used_.fetch_add(1, std::memory_order_relaxed);
    if (free_ == nullptr) return new (fresh_++) OrderedNode;
    return new (std::exchange(free_, free_->next)) OrderedNode;
  }
  /// Nobody sees it any more.
  void give(OrderedNode* node) {
    const Hold hold(*this);
    free_ = new (node) Free{free_};
    used_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Null: no memory.
  LongKey* make_long(BytesView key) noexcept {
    const std::size_t bytes = LongKey::bytes_for(key.size());
    if (!budget_.try_take(bytes + kMallocBytes)) return nullptr;
    void* const place = ::operator new(bytes, std::nothrow);
    if (place == nullptr) {
      budget_.give(bytes + kMallocBytes);
      return nullptr;
    }
    long_bytes_.fetch_add(bytes + kMallocBytes, std::memory_order_relaxed);
    return new (place) LongKey(key);
  }
  void free_long(LongKey* key) noexcept {
    if (key == nullptr) return;
    const std::size_t bytes = LongKey::bytes_for(key->view().size()) + kMallocBytes;
    ::operator delete(key);
    long_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    budget_.give(bytes);
  }

  std::uint64_t nodes_used() const noexcept { return used_.load(std::memory_order_relaxed); }
  std::uint64_t long_bytes() const noexcept { return long_bytes_.load(std::memory_order_relaxed); }
  /// Taken from the budget.
  std::uint64_t bytes() const noexcept {
    return chunk_bytes_.load(std::memory_order_relaxed) + long_bytes();
  }

 private:
  static constexpr std::size_t kChunkBytesMin = std::size_t{64} << 10;
  static constexpr std::size_t kMallocBytes = 16;

  /// What a node is that was given back.
  struct Free {
    Free* next;
  };
  class Hold {
   public:
    explicit Hold(NodePool& pool) noexcept : pool_(pool) {
      for (Spin spin; pool_.held_.exchange(true, std::memory_order_acquire);) spin.wait();
    }
    ~Hold() { pool_.held_.store(false, std::memory_order_release); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    NodePool& pool_;
  };

  bool add_chunk() {
    const std::uint64_t eighth = chunk_bytes_.load(std::memory_order_relaxed) / 8;
    const std::size_t wanted = std::clamp<std::size_t>(eighth, kChunkBytesMin, kHugePageBytes);
    MappedMemory chunk = MappedMemory::map(budget_, wanted);
    if (!chunk) chunk = MappedMemory::map(budget_, kChunkBytesMin);
    if (!chunk) return false;
    fresh_ = static_cast<OrderedNode*>(chunk.data());
    fresh_end_ = fresh_ + chunk.bytes() / sizeof(OrderedNode);
    chunk_bytes_.fetch_add(chunk.bytes(), std::memory_order_relaxed);
    chunks_.push_back(std::move(chunk));
    return true;
  }

  MemoryBudget& budget_;
  std::atomic<bool> held_{false};  // acquire and release: a lock of the next four
  std::vector<MappedMemory> chunks_;
  Free* free_ = nullptr;
  OrderedNode* fresh_ = nullptr;
  OrderedNode* fresh_end_ = nullptr;
  std::atomic<std::uint64_t> used_{0};         // relaxed: a figure
  std::atomic<std::uint64_t> chunk_bytes_{0};  // relaxed: a figure
  std::atomic<std::uint64_t> long_bytes_{0};   // relaxed: a figure
};

}  // namespace strata::backends::hybridlog
