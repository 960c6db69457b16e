// Statistics: what INFO counts. Threads: any; relaxed, for people.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace strata::server {

class Statistics {
 public:
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> connections_refused{0};
  std::atomic<std::uint64_t> commands{0};
  std::atomic<std::uint64_t> changes{0};  ///< effects committed
  std::atomic<std::uint64_t> input_bytes{0};
  std::atomic<std::uint64_t> output_bytes{0};
  std::atomic<std::uint64_t> key_hits{0};
  std::atomic<std::uint64_t> key_misses{0};
  std::atomic<std::uint64_t> expired{0};  ///< records whose space maintenance gave back

  void add_changes(std::size_t effects) { changes.fetch_add(effects, std::memory_order_relaxed); }
  /// `error` is the reply's text if it was one.
  void add_command(bool executed, std::string_view error);
  /// Error replies by their first word; at most kErrorWordsMax words.
  std::map<std::string, std::uint64_t> errors() const;
  void reset();
  /// Commands a second since the last time that somebody asked, at least 100 ms ago.
  std::uint64_t commands_per_second(std::int64_t now_ns);

 private:
  static constexpr std::size_t kErrorWordsMax = 128;
  mutable base::Mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> errors_ STRATA_GUARDED_BY(mutex_);
  std::int64_t rate_from_ns_ STRATA_GUARDED_BY(mutex_) = 0;
  std::uint64_t rate_from_commands_ STRATA_GUARDED_BY(mutex_) = 0;
  std::uint64_t rate_ STRATA_GUARDED_BY(mutex_) = 0;
};

}  // namespace strata::server
