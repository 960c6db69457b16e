// ExpiryQueue: which records may have expired by now. An entry says where a record with an expiry
// was written; whether it is still there, and still expires then, is looked up when it fires.
//
// Threads: any; sixteen locks, by hash, held for one look-up.
// Always:  an entry is here before the write that it is about is acknowledged.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <vector>

#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/record_layout.h"
#include "base/mutex.h"
#include "strata/record.h"

namespace strata::backends::hybridlog {

class ExpiryQueue {
 public:
  struct Entry {
    std::uint64_t hash = 0;
    LogAddress address;
    Keyspace space{};
  };

  explicit ExpiryQueue(MemoryBudget& budget) : budget_(budget) {}
  ~ExpiryQueue() { budget_.give(count_.load() * kEntryBytes); }
  ExpiryQueue(const ExpiryQueue&) = delete;
  ExpiryQueue& operator=(const ExpiryQueue&) = delete;

  void add(std::int64_t expires_ms, const Entry& entry) {
    budget_.take(kEntryBytes);
    count_.fetch_add(1, std::memory_order_relaxed);
    if (!used_.load(std::memory_order_relaxed)) used_.store(true, std::memory_order_relaxed);
    Shard& shard = shards_[entry.hash % shards_.size()];
    const base::MutexLock lock(shard.mutex);
    shard.entries.emplace(expires_ms, entry);
    std::int64_t earliest = earliest_ms_.load(std::memory_order_relaxed);
    while (expires_ms < earliest &&
           !earliest_ms_.compare_exchange_weak(earliest, expires_ms, std::memory_order_relaxed)) {
    }
  }
  /// Whether there may be an entry whose time has come.
  bool may_be_due(std::int64_t now_ms) const noexcept {
    return earliest_ms_.load(std::memory_order_relaxed) <= now_ms;
  }
  /// Copies the entries whose time has come; linear in them.
  void copy_due(std::int64_t now_ms, std::vector<Entry>& to) {
    if (!may_be_due(now_ms)) return;
    for (Shard& shard : shards_) {
      const base::MutexLock lock(shard.mutex);
      const auto end = shard.entries.upper_bound(now_ms);
      for (auto at = shard.entries.begin(); at != end; ++at) to.push_back(at->second);
    }
  }
  /// Takes out up to `max` entries whose time has come.
  void take_due(std::int64_t now_ms, std::size_t max, std::vector<Entry>& to) {
    if (!may_be_due(now_ms)) return;
    const std::size_t before = to.size();
    // Raised first: who adds an earlier one meanwhile lowers it again.
    earliest_ms_.store(INT64_MAX, std::memory_order_relaxed);
    std::int64_t earliest = INT64_MAX;
    for (Shard& shard : shards_) {
      const base::MutexLock lock(shard.mutex);
      while (to.size() - before < max && !shard.entries.empty() &&
             shard.entries.begin()->first <= now_ms) {
        to.push_back(shard.entries.begin()->second);
        shard.entries.erase(shard.entries.begin());
      }
      if (!shard.entries.empty()) earliest = std::min(earliest, shard.entries.begin()->first);
    }
    std::int64_t seen = earliest_ms_.load(std::memory_order_relaxed);
    while (earliest < seen &&
           !earliest_ms_.compare_exchange_weak(seen, earliest, std::memory_order_relaxed)) {
    }
    const std::size_t taken = to.size() - before;
    count_.fetch_sub(taken, std::memory_order_relaxed);
    budget_.give(taken * kEntryBytes);
  }
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// Whether there ever was an entry.
  bool used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t kEntryBytes = 80;  // of a node of the map
  struct Shard {
    base::Mutex mutex;
    std::multimap<std::int64_t, Entry> entries STRATA_GUARDED_BY(mutex);
  };
  MemoryBudget& budget_;
  std::array<Shard, 16> shards_;
  std::atomic<std::uint64_t> count_{0};               // relaxed: a figure
  std::atomic<bool> used_{false};                     // relaxed: who knows of an entry, knows this
  std::atomic<std::int64_t> earliest_ms_{INT64_MAX};  // relaxed: no entry is earlier
};

}  // namespace strata::backends::hybridlog
