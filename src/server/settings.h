// Settings: the server's parameters under Redis's names, as CONFIG GET and CONFIG SET see them.
//
// Always: what a request's path reads is an atomic; it is changed together with the text that
//         CONFIG GET shows. Several parameters change together or not at all.
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/network_settings.h"
#include "server/parameters.h"
#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::server {

class Settings {
 public:
  Settings();

  using Pair = std::pair<BytesView, BytesView>;
  /// Sets all, or none and says which one was wrong and why (invalid_argument; the message is that
  /// of Redis's error reply without its "ERR"). `starting` may set what is immutable later.
  Result<> set(std::span<const Pair> pairs, bool starting = false);
  Result<> set(BytesView name, BytesView value) {
    const Pair pair{name, value};
    return set(std::span(&pair, 1), true);
  }
  /// Names and values of the parameters that match one of the glob patterns, by name.
  /// What is asked for without wildcards keeps the letters in which it was asked for.
  std::map<std::string, std::string> matching(std::span<const BytesView> patterns) const;
  /// Those that differ from their defaults, without secrets.
  std::map<std::string, std::string> changed() const;

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
  struct Change {
    const Parameter* parameter;
    std::string value;
  };
  Result<Change> check(const Pair& pair, bool starting) const STRATA_REQUIRES(mutex_);
  void apply(const Change& change) STRATA_REQUIRES(mutex_);
  void apply_number(std::string_view name, std::int64_t value);
  void apply_output_limits(const std::string& text);

  std::atomic<bool> password_required_{false};
  mutable base::Mutex mutex_;
  std::map<std::string, std::string, std::less<>> values_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::server
