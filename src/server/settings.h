// Settings: the server's parameters under Redis's names, as CONFIG GET and CONFIG SET see them.
//
// Threads: any. What a request's path reads is atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/mutex.h"
#include "server/network_settings.h"
#include "strata/bytes.h"

namespace strata::server {

class Settings {
 public:
  Settings() = default;

  bool password_required() const noexcept {
    return password_required_.load(std::memory_order_relaxed);
  }
  /// In a time that does not depend on where the two differ.
  bool password_matches(BytesView password) const;
  void set_password(std::string password);

  NetworkSettings network;

  std::atomic<std::int64_t> slowlog_log_slower_than_us{10'000};  ///< negative: nothing is logged
  std::atomic<std::int64_t> slowlog_max_len{128};
  std::atomic<std::int64_t> latency_threshold_ms{0};  ///< 0: nothing is watched

 private:
  std::atomic<bool> password_required_{false};
  mutable base::Mutex mutex_;
  std::string password_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::server
