// RequestMemory: what the unfinished requests of all clients together may hold.
//
// Memory is taken as bytes arrive, never for what was only announced. A request that holds little
// is always granted. When the sum is reached, the request that holds most goes: the one that asks,
// if it is that one, else another, which is evicted. A large request that is alone with small ones
// may pass the sum: nobody needs the memory more.
//
// Always:  the sum of what shares hold, without those evicted, exceeds the bound only by small
//          shares or by one lone giant.
// Threads: a Share belongs to one thread; different Shares may be used by different threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>

#include "base/mutex.h"

namespace strata::server {

class RequestMemory {
 public:
  /// Up to this much a share is granted without a question.
  static constexpr std::size_t kSmallBytes = 64 * 1024;

  /// Borrows the bound, which may change at any time.
  explicit RequestMemory(const std::atomic<std::uint64_t>& bytes_max) : bytes_max_(bytes_max) {}
  RequestMemory(const RequestMemory&) = delete;
  RequestMemory& operator=(const RequestMemory&) = delete;

  /// What one connection holds.
  class Share {
   public:
    /// `evict` is called, from any thread and under a lock, at most once: the connection must end.
    Share(RequestMemory& memory, std::function<void()> evict)
        : memory_(memory), evict_(std::move(evict)) {}
    ~Share() { (void)resize(0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// Says that from now on this share holds `bytes`. False: refused, and nothing has changed.
    /// Becoming smaller is never refused.
    [[nodiscard]] bool resize(std::size_t bytes);
    std::size_t held() const noexcept { return held_; }

   private:
    friend class RequestMemory;
    RequestMemory& memory_;
    const std::function<void()> evict_;
    std::size_t held_ = 0;
    bool evicted_ = false;  // guarded by the memory's mutex
  };

  /// What all shares hold now.
  std::uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  bool grow_large(Share& share, std::size_t bytes);

  const std::atomic<std::uint64_t>& bytes_max_;
  std::atomic<std::uint64_t> used_{0};  // relaxed: a sum, it orders nothing
  base::Mutex mutex_;
  std::set<Share*> large_ STRATA_GUARDED_BY(mutex_);
  std::uint64_t leaving_ STRATA_GUARDED_BY(mutex_) = 0;  // held by evicted shares
};

}  // namespace strata::server
