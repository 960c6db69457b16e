#include "server/request_memory.h"

namespace strata::server {

bool RequestMemory::Share::resize(std::size_t bytes) {
  if (bytes == held_) return true;
  if (bytes <= kSmallBytes && held_ <= kSmallBytes) {
    memory_.used_.fetch_add(bytes - held_, std::memory_order_relaxed);  // wraps when smaller
    held_ = bytes;
    return true;
  }
  return memory_.grow_large(*this, bytes);
}

bool RequestMemory::grow_large(Share& share, std::size_t bytes) {
  const base::MutexLock lock(mutex_);
  const std::uint64_t bytes_max = bytes_max_.load(std::memory_order_relaxed);
  if (bytes > share.held_ && bytes > kSmallBytes) {
    if (share.evicted_) return false;
    const std::uint64_t others = used_.load(std::memory_order_relaxed) - share.held_ - leaving_;
    const bool alone = others <= bytes_max / 8;
    if (others + bytes > bytes_max && !alone) {
      Share* greediest = &share;
      std::size_t most = bytes;
      for (Share* other : large_) {
        // What others hold is read here without their threads' help: it changes under the mutex
        // while a share is large.
        if (other == &share || other->evicted_ || other->held_ <= most) continue;
        greediest = other;
        most = other->held_;
      }
      if (greediest == &share) return false;
      greediest->evicted_ = true;
      leaving_ += greediest->held_;
      greediest->evict_();
    }
  }
  if (share.evicted_) leaving_ -= share.held_ - bytes;
  used_.fetch_add(bytes - share.held_, std::memory_order_relaxed);
  share.held_ = bytes;
  if (bytes > kSmallBytes) {
    large_.insert(&share);
  } else {
    if (share.evicted_) leaving_ -= bytes;  // what is small is not looked at here any more
    large_.erase(&share);
  }
  return true;
}

}  // namespace strata::server
