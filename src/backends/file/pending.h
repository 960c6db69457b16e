// Pending: the records whose last write is not durable yet, and until when each must be.
//
// Threads: any. An entry is changed only by who holds its record's stripe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backends/file/space.h"
#include "base/hash.h"
#include "base/mutex.h"

namespace strata::backends::file {

class Pending {
 public:
  struct Entry {
    RecordId id;
    std::int64_t deadline_ms = 0;  ///< of the monotonic clock; of the oldest write that waits
    bool staged = false;           ///< the record is what its @next.json says
    std::string value_file;        ///< of that
    std::vector<std::string> old_values;  ///< may go once the folder is synced
  };

  /// Whether `path` (RecordId::path) is staged. Costs one load while nothing is pending.
  bool staged(const std::string& path) const;
  std::optional<Entry> find(const std::string& path) const;
  void set(const std::string& path, Entry entry);
  void erase(const std::string& path);
  /// Up to `max` records whose deadline is `until_ms` or earlier, the earliest first.
  std::vector<RecordId> due(std::int64_t until_ms, std::size_t max) const;
  std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::size_t> size_{0};  // release in set() and erase(), acquire in readers
  mutable base::Mutex mutex_;
  std::unordered_map<std::string, Entry, base::BytesHash, std::equal_to<>> entries_
      STRATA_GUARDED_BY(mutex_);
  std::set<std::pair<std::int64_t, std::string>> deadlines_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::backends::file
