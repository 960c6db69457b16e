// Monitors: sessions that said MONITOR are told every command.
//
// Always: nothing is formatted while nobody listens; a line goes to a session's own thread, which
//         applies its output limits.
// Threads: any.
#pragma once

#include <atomic>

#include "base/clock.h"
#include "server/clients.h"
#include "server/command.h"

namespace strata::server {

class Monitors {
 public:
  explicit Monitors(Clients& clients) : clients_(clients) {}
  bool any() const noexcept { return count_.load(std::memory_order_relaxed) != 0; }
  void start(Session& session);
  void stop(Session& session);
  void feed(const Session& from, Arguments arguments, const base::Clock& clock);

 private:
  Clients& clients_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace strata::server
