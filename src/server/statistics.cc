#include "server/statistics.h"

namespace strata::server {

void Statistics::add_command(bool executed, std::string_view error) {
  if (executed) commands.fetch_add(1, std::memory_order_relaxed);
  if (error.empty()) return;
  const std::string_view word = error.substr(0, error.find(' '));
  const base::MutexLock lock(mutex_);
  const auto known = errors_.find(word);
  if (known != errors_.end()) {
    ++known->second;
  } else if (errors_.size() < kErrorWordsMax) {
    errors_.emplace(word, 1);
  }
}

std::map<std::string, std::uint64_t> Statistics::errors() const {
  const base::MutexLock lock(mutex_);
  return {errors_.begin(), errors_.end()};
}

std::uint64_t Statistics::commands_per_second(std::int64_t now_ns) {
  constexpr std::int64_t kWindowNs = 100'000'000;
  const base::MutexLock lock(mutex_);
  const std::int64_t elapsed_ns = now_ns - rate_from_ns_;
  if (elapsed_ns < kWindowNs) return rate_;
  const std::uint64_t total = commands.load(std::memory_order_relaxed);
  const std::uint64_t since = total >= rate_from_commands_ ? total - rate_from_commands_ : total;
  rate_ = rate_from_ns_ == 0 ? 0
                             : static_cast<std::uint64_t>(static_cast<double>(since) * 1e9 /
                                                          static_cast<double>(elapsed_ns));
  rate_from_ns_ = now_ns;
  rate_from_commands_ = total;
  return rate_;
}

void Statistics::reset() {
  for (auto* counter : {&connections, &connections_refused, &commands, &changes, &input_bytes,
                        &output_bytes, &key_hits, &key_misses, &expired}) {
    counter->store(0, std::memory_order_relaxed);
  }
  const base::MutexLock lock(mutex_);
  errors_.clear();
}

}  // namespace strata::server
