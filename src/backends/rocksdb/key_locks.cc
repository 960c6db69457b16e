#include "backends/rocksdb/key_locks.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"

namespace strata::backends::rocksdb {

void KeyLocks::lock(std::size_t stripe) {
  std::atomic<std::uint32_t>& word = words_[stripe];
  while (word.exchange(1, std::memory_order_acquire) != 0) {
    word.wait(1, std::memory_order_relaxed);
  }
}

void KeyLocks::unlock(std::size_t stripe) {
  words_[stripe].store(0, std::memory_order_release);
  words_[stripe].notify_one();
}

void KeyLocks::Held::name(const KeyRef& key) {
  STRATA_DCHECK(!taken_);
  const std::uint64_t hash = base::hash64(key.key, static_cast<std::uint64_t>(key.space));
  stripes_.push_back(static_cast<std::uint16_t>(hash % kStripes));
}

void KeyLocks::Held::name_all() { all_ = true; }

void KeyLocks::Held::take() {
  STRATA_CHECK(!taken_);
  if (all_) {
    for (std::size_t stripe = 0; stripe < kStripes; ++stripe) locks_.lock(stripe);
  } else {
    std::ranges::sort(stripes_);
    stripes_.erase(std::unique(stripes_.begin(), stripes_.end()), stripes_.end());
    for (const std::uint16_t stripe : stripes_) locks_.lock(stripe);
  }
  taken_ = true;
}

void KeyLocks::Held::release() {
  if (!taken_) return;
  if (all_) {
    for (std::size_t stripe = 0; stripe < kStripes; ++stripe) locks_.unlock(stripe);
  } else {
    for (const std::uint16_t stripe : stripes_) locks_.unlock(stripe);
  }
  taken_ = false;
}

KeyLocks::Held::~Held() { release(); }

}  // namespace strata::backends::rocksdb
