// SlowLog: the commands that took longest, newest first, bounded in number and in bytes.
// Threads: any.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "server/command.h"
#include "server/settings.h"

namespace strata::server {

class SlowLog {
 public:
  struct Entry {
    std::uint64_t id;
    std::int64_t time_s;
    std::int64_t took_us;
    std::vector<std::string> arguments;
    std::string address;
    std::string client_name;
  };
  /// Keeps the call if it was slow enough.
  void offer(const Session& session, Arguments arguments, std::int64_t took_us,
             const Settings& settings, std::int64_t now_ms);
  std::vector<Entry> newest(std::size_t count) const;
  std::size_t size() const;
  void reset();

 private:
  mutable base::Mutex mutex_;
  std::deque<Entry> entries_ STRATA_GUARDED_BY(mutex_);
  std::uint64_t next_id_ STRATA_GUARDED_BY(mutex_) = 0;
};

}  // namespace strata::server
