// Latency: events that took longer than the threshold, by event, as LATENCY shows them.
// Threads: any.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "server/command.h"
#include "server/settings.h"

namespace strata::server {

class Latency {
 public:
  struct Sample {
    std::int64_t time_s;
    std::int64_t took_ms;
  };
  struct Event {
    std::string name;
    Sample latest;
    std::int64_t worst_ms;
  };
  /// Keeps the run of a command ("command", "fast-command") if it was slow enough.
  void offer(const CommandSpec& command, std::int64_t took_us, const Settings& settings,
             std::int64_t now_ms);
  void offer(std::string_view event, std::int64_t took_ms, std::int64_t now_ms);
  std::vector<Event> latest() const;
  std::vector<Sample> history(std::string_view event) const;
  /// How many events were forgotten; no names: all.
  std::size_t reset(const std::vector<std::string>& events);

 private:
  static constexpr std::size_t kSamplesMax = 160;
  struct Series {
    std::deque<Sample> samples;
    std::int64_t worst_ms = 0;
  };
  mutable base::Mutex mutex_;
  std::map<std::string, Series, std::less<>> series_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::server
