// A table by path and an order by deadline, kept alike.
#include "backends/file/pending.h"

namespace strata::backends::file {

bool Pending::staged(const std::string& path) const {
  if (size() == 0) return false;
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find(path);
  return found != entries_.end() && found->second.staged;
}

std::optional<Pending::Entry> Pending::find(const std::string& path) const {
  if (size() == 0) return {};
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find(path);
  if (found == entries_.end()) return {};
  return found->second;
}

void Pending::set(const std::string& path, Entry entry) {
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find(path);
  if (found != entries_.end()) deadlines_.erase({found->second.deadline_ms, path});
  deadlines_.emplace(entry.deadline_ms, path);
  entries_.insert_or_assign(path, std::move(entry));
  size_.store(entries_.size(), std::memory_order_release);
}

void Pending::erase(const std::string& path) {
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find(path);
  if (found == entries_.end()) return;
  deadlines_.erase({found->second.deadline_ms, path});
  entries_.erase(found);
  size_.store(entries_.size(), std::memory_order_release);
}

std::vector<RecordId> Pending::due(std::int64_t until_ms, std::size_t max) const {
  std::vector<RecordId> found;
  if (size() == 0) return found;
  const base::MutexLock lock(mutex_);
  for (const auto& [deadline_ms, path] : deadlines_) {
    if (deadline_ms > until_ms || found.size() == max) break;
    found.push_back(entries_.find(path)->second.id);
  }
  return found;
}

}  // namespace strata::backends::file
