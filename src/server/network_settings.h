// NetworkSettings: the parameters that connections and the listener look at, under Redis's
// meanings.
//
// Threads: any; relaxed. A change acts on every connection from its next event on.
#pragma once

#include <atomic>
#include <cstdint>

namespace strata::server {

struct NetworkSettings {
  std::atomic<std::uint64_t> clients_max{10'000};                     ///< maxclients
  std::atomic<std::uint64_t> query_bytes_max{1024ull * 1024 * 1024};  ///< client-query-buffer-limit
  std::atomic<std::uint64_t> bulk_bytes_max{512ull * 1024 * 1024};    ///< proto-max-bulk-len
  std::atomic<std::int64_t> idle_timeout_s{0};                        ///< timeout; 0: none
  std::atomic<std::int64_t> keepalive_s{300};                         ///< tcp-keepalive; 0: off
  std::atomic<bool> protected_mode{true};                             ///< protected-mode

  /// One class of client-output-buffer-limit: closed above `hard_bytes` at once, above
  /// `soft_bytes` when it stays there for `soft_s`; 0: no such limit.
  struct OutputLimit {
    std::atomic<std::uint64_t> hard_bytes{0};
    std::atomic<std::uint64_t> soft_bytes{0};
    std::atomic<std::int64_t> soft_s{0};
  };
  OutputLimit output_normal;
  /// Of clients that are sent what they did not ask for (MONITOR, later pub/sub).
  OutputLimit output_pushed{{32ull * 1024 * 1024}, {8ull * 1024 * 1024}, {60}};

  /// Memory for the unfinished requests of all clients together.
  std::atomic<std::uint64_t> request_bytes_max{64ull * 1024 * 1024};
};

}  // namespace strata::server
