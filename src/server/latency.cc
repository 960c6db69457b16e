#include "server/latency.h"

#include <algorithm>

namespace strata::server {

void Latency::offer(const CommandSpec& command, std::int64_t took_us, const Settings& settings,
                    std::int64_t now_ms) {
  const std::int64_t threshold = settings.latency_threshold_ms.load(std::memory_order_relaxed);
  if (threshold <= 0 || took_us < threshold * 1000) return;
  offer((command.flags & kFast) != 0 ? "fast-command" : "command", took_us / 1000, now_ms);
}

void Latency::offer(std::string_view event, std::int64_t took_ms, std::int64_t now_ms) {
  const base::MutexLock lock(mutex_);
  Series& series = series_[std::string(event)];
  const std::int64_t now_s = now_ms / 1000;
  series.worst_ms = std::max(series.worst_ms, took_ms);
  // One sample a second: the worst of it.
  if (!series.samples.empty() && series.samples.back().time_s == now_s) {
    series.samples.back().took_ms = std::max(series.samples.back().took_ms, took_ms);
    return;
  }
  series.samples.push_back({now_s, took_ms});
  if (series.samples.size() > kSamplesMax) series.samples.pop_front();
}

std::vector<Latency::Event> Latency::latest() const {
  const base::MutexLock lock(mutex_);
  std::vector<Event> events;
  for (const auto& [name, series] : series_) {
    events.push_back({name, series.samples.back(), series.worst_ms});
  }
  return events;
}

std::vector<Latency::Sample> Latency::history(std::string_view event) const {
  const base::MutexLock lock(mutex_);
  const auto series = series_.find(event);
  if (series == series_.end()) return {};
  return {series->second.samples.begin(), series->second.samples.end()};
}

std::size_t Latency::reset(const std::vector<std::string>& events) {
  const base::MutexLock lock(mutex_);
  if (events.empty()) {
    const std::size_t count = series_.size();
    series_.clear();
    return count;
  }
  std::size_t count = 0;
  for (const std::string& event : events) count += series_.erase(event);
  return count;
}

}  // namespace strata::server
