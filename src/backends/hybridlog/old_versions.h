// OldVersions: records that compaction took out of the log although a snapshot still needs them.
//
// A record is needed by the snapshots S with version <= S < end. Reads come here last, after the
// chain: what is in the chain of a key is newer than anything here.
//
// Threads: any; one lock, held for one look-up.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "backends/hybridlog/budget.h"
#include "base/mutex.h"
#include "strata/bytes.h"

namespace strata::backends::hybridlog {

class OldVersions {
 public:
  explicit OldVersions(MemoryBudget& budget) : budget_(budget) {}
  ~OldVersions() {
    trim([](std::uint64_t, std::uint64_t) { return false; });
  }
  OldVersions(const OldVersions&) = delete;
  OldVersions& operator=(const OldVersions&) = delete;

  /// Keeps a whole record; false when memory is out.
  bool add(BytesView physical_key, std::uint64_t version, std::uint64_t end, BytesView record) {
    const std::uint64_t bytes = physical_key.size() + record.size() + kEntryBytes;
    if (!budget_.try_take(bytes)) return false;
    const base::MutexLock lock(mutex_);
    auto& versions = keys_[Bytes(physical_key)];
    if (!versions.emplace(version, Old{end, Bytes(record)}).second) {
      budget_.give(bytes);
    } else {
      bytes_ += bytes;
      ++count_;
    }
    return true;
  }
  /// The newest record with a version up to `version`, as it was in the log.
  std::optional<Bytes> find(BytesView physical_key, std::uint64_t version) {
    const base::MutexLock lock(mutex_);
    const auto found = keys_.find(Bytes(physical_key));
    if (found == keys_.end()) return std::nullopt;
    const auto behind = found->second.upper_bound(version);
    if (behind == found->second.begin()) return std::nullopt;
    const Old& old = std::prev(behind)->second;
    if (version >= old.end) return std::nullopt;
    return old.record;
  }
  /// Drops those for which `needed(version, end)` is false.
  template <class Needed>
  void trim(Needed needed) {
    const base::MutexLock lock(mutex_);
    for (auto key = keys_.begin(); key != keys_.end();) {
      for (auto old = key->second.begin(); old != key->second.end();) {
        if (needed(old->first, old->second.end)) {
          ++old;
          continue;
        }
        const std::uint64_t bytes = key->first.size() + old->second.record.size() + kEntryBytes;
        budget_.give(bytes);
        bytes_ -= bytes;
        --count_;
        old = key->second.erase(old);
      }
      key = key->second.empty() ? keys_.erase(key) : std::next(key);
    }
  }
  std::uint64_t count() const {
    const base::MutexLock lock(mutex_);
    return count_;
  }
  std::uint64_t bytes() const {
    const base::MutexLock lock(mutex_);
    return bytes_;
  }

 private:
  static constexpr std::uint64_t kEntryBytes = 160;  // of nodes and strings beside their bytes
  struct Old {
    std::uint64_t end;
    Bytes record;
  };
  MemoryBudget& budget_;
  mutable base::Mutex mutex_;
  std::unordered_map<Bytes, std::map<std::uint64_t, Old>> keys_ STRATA_GUARDED_BY(mutex_);
  std::uint64_t count_ STRATA_GUARDED_BY(mutex_) = 0;
  std::uint64_t bytes_ STRATA_GUARDED_BY(mutex_) = 0;
};

}  // namespace strata::backends::hybridlog
