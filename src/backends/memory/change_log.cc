#include "backends/memory/change_log.h"

#include <algorithm>
#include <string>

#include "base/clock.h"

namespace strata::backends::memory {

void ChangeLog::add(Change change, Payload payload) {
  const base::MutexLock lock(mutex_);
  entries_.push_back({std::move(change), std::move(payload)});
  bytes_ += entries_.back().bytes();
}

void ChangeLog::publish(Version version) {
  const base::MutexLock lock(mutex_);
  trim();
  if (entries_.empty() || entries_.back().change.version <= newest_) return;
  newest_ = version;
  published_.notify_all();
}

void ChangeLog::trim() {
  while (!entries_.empty() &&
         (entries_.size() > bounds_.changes_max || bytes_ > bounds_.bytes_max)) {
    const Version oldest = entries_.front().change.version;
    if (oldest == entries_.back().change.version) return;
    while (entries_.front().change.version == oldest) {
      bytes_ -= entries_.front().bytes();
      entries_.pop_front();
    }
    kept_after_ = oldest;
  }
}

void ChangeLog::reset(Version version) {
  const base::MutexLock lock(mutex_);
  entries_.clear();
  bytes_ = 0;
  kept_after_ = newest_ = version;
  published_.notify_all();
}

Result<> ChangeLog::read(Version after, std::size_t limit, std::vector<Change>& changes) {
  const base::MutexLock lock(mutex_);
  if (after < kept_after_) {
    return Error(Code::invalid_argument,
                 "memory store: changes after version " + std::to_string(after.value) +
                     " are not kept; those after " + std::to_string(kept_after_.value) + " are");
  }
  auto entry = std::ranges::upper_bound(entries_, after, {},
                                        [](const Entry& e) { return e.change.version; });
  Version last = after;
  for (std::size_t given = 0; entry != entries_.end(); ++entry, ++given) {
    if (given >= std::max<std::size_t>(limit, 1) && entry->change.version != last) return {};
    last = entry->change.version;
    changes.push_back(entry->change);
    if (entry->payload) changes.back().value = *entry->payload;
  }
  return {};
}

Result<bool> ChangeLog::wait(Version after, std::chrono::milliseconds wait) {
  // People wait in real time, whatever clock the records live on.
  const std::int64_t end_ms = base::system_clock().monotonic_ms() + wait.count();
  const base::MutexLock lock(mutex_);
  while (newest_ <= after) {
    if (closed_) return Error(Code::closed, "memory store: closed while waiting for a change");
    const std::int64_t left_ms = end_ms - base::system_clock().monotonic_ms();
    if (left_ms <= 0) return false;
    published_.wait_for_ms(mutex_, left_ms);
  }
  return true;
}

void ChangeLog::close() {
  const base::MutexLock lock(mutex_);
  closed_ = true;
  published_.notify_all();
}

}  // namespace strata::backends::memory
