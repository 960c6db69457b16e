// EventLoop: one thread's epoll, with timers and a mailbox.
//
// Always:  everything that the loop calls is called on its own thread, one after the other; nothing
//          of a watcher is called after forget(), except within the batch of events under way, so
//          whoever forgets destroys by defer().
// Owns:    the epoll and the mailbox's eventfd. Borrows: the clock; the watched descriptors.
// Threads: post() and stop() any; run() is the loop's thread, and all else is called on it (or
//          before it runs).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/descriptor.h"
#include "strata/result.h"

namespace strata::server {

class EventLoop {
 public:
  using Task = std::move_only_function<void()>;

  /// What to wait for. A descriptor that has failed is always told.
  struct Interest {
    bool readable = false;
    bool writable = false;
    bool hangup = false;  ///< the other side sends no more; told as failed
    friend bool operator==(const Interest&, const Interest&) = default;
  };

  /// Whatever owns a descriptor that the loop watches.
  class Watcher {
   public:
    /// It can be read, or written; `failed`: it is of no use any more (and both others are set).
    virtual void ready(bool readable, bool writable, bool failed) = 0;

   protected:
    ~Watcher() = default;
  };

  static Result<std::unique_ptr<EventLoop>> open(base::Clock& clock);

  Result<> watch(int descriptor, Watcher& watcher, Interest interest);
  void change(int descriptor, Watcher& watcher, Interest interest);
  void forget(int descriptor);

  /// Runs `task` on the loop's thread, soon. Any thread.
  void post(Task task) STRATA_EXCLUDES(mutex_);
  /// Runs `task` at the end of this round.
  void defer(Task task) { deferred_.push_back(std::move(task)); }

  using TimerId = std::uint64_t;
  /// Runs `task` once, `ms` milliseconds from now or a little later. Never 0.
  TimerId call_after_ms(std::int64_t ms, Task task);
  void cancel(TimerId timer);

  /// Wall time at the beginning of this round.
  std::int64_t now_ms() const noexcept { return now_ms_; }

  /// Until stop(); what was posted before it has then been run.
  void run();
  void stop();

 private:
  EventLoop(base::Clock& clock, Descriptor epoll, Descriptor bell);
  void run_posted() STRATA_EXCLUDES(mutex_);
  void run_timers();
  void run_deferred();
  int wait_ms() const;

  base::Clock& clock_;
  const Descriptor epoll_;
  const Descriptor bell_;  // an eventfd: there is something in posted_

  bool running_ = true;
  std::int64_t now_ms_ = 0;
  std::vector<Task> deferred_;
  // By due time (monotonic, ms) and number; timers_due_ finds them by number.
  std::map<std::pair<std::int64_t, TimerId>, Task> timers_;
  std::map<TimerId, std::int64_t> timers_due_;
  TimerId last_timer_ = 0;

  base::Mutex mutex_;
  std::vector<Task> posted_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::server
