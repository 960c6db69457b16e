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

void Statistics::reset() {
  for (auto* counter : {&connections, &connections_refused, &commands, &changes, &input_bytes,
                        &output_bytes, &key_hits, &key_misses}) {
    counter->store(0, std::memory_order_relaxed);
  }
  const base::MutexLock lock(mutex_);
  errors_.clear();
}

}  // namespace strata::server
