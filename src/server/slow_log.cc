#include "server/slow_log.h"

#include <algorithm>

#include "server/secrets.h"

namespace strata::server {

void SlowLog::offer(const Session& session, Arguments arguments, std::int64_t took_us,
                    const Settings& settings, std::int64_t now_ms) {
  const std::int64_t threshold =
      settings.slowlog_log_slower_than_us.load(std::memory_order_relaxed);
  if (threshold < 0 || took_us < threshold) return;
  std::vector<BytesView> room;
  arguments = without_secrets(arguments, room);
  constexpr std::size_t kArgumentsMax = 32;
  constexpr std::size_t kArgumentBytesMax = 128;
  Entry entry{0, now_ms / 1000, took_us, {}, session.address, session.name()};
  const std::size_t shown = arguments.size() > kArgumentsMax ? kArgumentsMax - 1 : arguments.size();
  for (std::size_t i = 0; i < shown; ++i) {
    std::string text(arguments[i].substr(0, kArgumentBytesMax));
    if (arguments[i].size() > kArgumentBytesMax) {
      text += "... (" + std::to_string(arguments[i].size() - kArgumentBytesMax) + " more bytes)";
    }
    entry.arguments.push_back(std::move(text));
  }
  if (shown < arguments.size()) {
    entry.arguments.push_back("... (" + std::to_string(arguments.size() - shown) +
                              " more arguments)");
  }
  const auto keep = static_cast<std::size_t>(
      std::max<std::int64_t>(0, settings.slowlog_max_len.load(std::memory_order_relaxed)));
  const base::MutexLock lock(mutex_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > keep) entries_.pop_back();
}

std::vector<SlowLog::Entry> SlowLog::newest(std::size_t count) const {
  const base::MutexLock lock(mutex_);
  const std::size_t given = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(given)};
}

std::size_t SlowLog::size() const {
  const base::MutexLock lock(mutex_);
  return entries_.size();
}

void SlowLog::reset() {
  const base::MutexLock lock(mutex_);
  entries_.clear();
}

}  // namespace strata::server
