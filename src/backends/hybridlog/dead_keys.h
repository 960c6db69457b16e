// DeadKeys: the hashes of keys whose newest record is a tombstone, so that a key that the indexes
// know can be told from one that is there without reading its record from a device.
//
// Threads: any; by hash, held for one look-up.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_set>

#include "backends/hybridlog/budget.h"
#include "base/mutex.h"

namespace strata::backends::hybridlog {

class DeadKeys {
 public:
  explicit DeadKeys(MemoryBudget& budget) : budget_(budget) {}
  ~DeadKeys() {
    for (Shard& shard : shards_) {
      const base::MutexLock lock(shard.mutex);
      budget_.give(shard.hashes.size() * kEntryBytes);
    }
  }
  DeadKeys(const DeadKeys&) = delete;
  DeadKeys& operator=(const DeadKeys&) = delete;

  void add(std::uint64_t hash) {
    Shard& shard = shards_[hash % shards_.size()];
    const base::MutexLock lock(shard.mutex);
    if (shard.hashes.insert(hash).second) budget_.take(kEntryBytes);
  }
  /// Whether it was there.
  bool remove(std::uint64_t hash) {
    Shard& shard = shards_[hash % shards_.size()];
    const base::MutexLock lock(shard.mutex);
    if (shard.hashes.erase(hash) == 0) return false;
    budget_.give(kEntryBytes);
    return true;
  }
  bool contains(std::uint64_t hash) {
    Shard& shard = shards_[hash % shards_.size()];
    const base::MutexLock lock(shard.mutex);
    return shard.hashes.contains(hash);
  }

 private:
  static constexpr std::uint64_t kEntryBytes = 40;  // of a node of the set, and its bucket
  struct Shard {
    base::Mutex mutex;
    std::unordered_set<std::uint64_t> hashes STRATA_GUARDED_BY(mutex);
  };
  MemoryBudget& budget_;
  std::array<Shard, 64> shards_;
};

}  // namespace strata::backends::hybridlog
