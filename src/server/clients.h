// Clients: all connected sessions, for those who look at others (CLIENT LIST, CLIENT KILL, INFO).
//
// Always: a session is in here from its accept to its end, so a pointer that visit() hands out is
//         good for the length of the visit.
// Threads: any.
#pragma once

#include <atomic>
#include <map>

#include "base/mutex.h"
#include "server/session.h"
#include "strata/function_ref.h"

namespace strata::server {

class Clients {
 public:
  std::uint64_t next_id() noexcept { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  void add(Session& session) {
    const base::MutexLock lock(mutex_);
    sessions_.emplace(session.id, &session);
    count_.store(sessions_.size(), std::memory_order_relaxed);
  }
  void remove(const Session& session) {
    const base::MutexLock lock(mutex_);
    sessions_.erase(session.id);
    count_.store(sessions_.size(), std::memory_order_relaxed);
  }
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// Each session in the order of ids. `visitor` must be quick and must not call Clients.
  void visit(FunctionRef<void(Session&)> visitor) {
    const base::MutexLock lock(mutex_);
    for (const auto& [id, session] : sessions_) visitor(*session);
  }

 private:
  base::Mutex mutex_;
  std::map<std::uint64_t, Session*> sessions_ STRATA_GUARDED_BY(mutex_);
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace strata::server
