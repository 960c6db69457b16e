// ThreadPool: a bounded number of threads that run what is submitted, oldest first.
//
// Threads: submit() and drain() from any thread, a running task included (submit() only).
// Owns:    its threads: none before the first submit(), one more while tasks wait and there are
//          fewer than threads_max; all joined by the end of the pool, after everything submitted
//          has run.
// Always:  submit() never waits for a task or for room.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"
#include "strata/result.h"

namespace strata::base {

struct ThreadPoolOptions {
  std::string name = "pool";        ///< of its threads
  std::size_t threads_max = 4;      ///< 1 or more
  std::size_t waiting_max = 65536;  ///< tasks that wait for a thread
};

class ThreadPool {
 public:
  using Task = std::move_only_function<void()>;  ///< must not throw

  explicit ThreadPool(ThreadPoolOptions options);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  /// Code::quota when waiting_max tasks wait already, Code::unavailable when there is no thread to
  /// run it and none can be had. `task` runs exactly once, or (on an error) never.
  Result<> submit(Task task) STRATA_EXCLUDES(mutex_);
  /// Returns when, at one moment, nothing was waiting or running.
  void drain() STRATA_EXCLUDES(mutex_);

 private:
  void run() STRATA_EXCLUDES(mutex_);
  Result<> add_thread() STRATA_REQUIRES(mutex_);

  const ThreadPoolOptions options_;

  Mutex mutex_;
  CondVar ready_;  // a task waits, or the pool ends
  CondVar calm_;   // nothing waits or runs
  std::deque<Task> waiting_ STRATA_GUARDED_BY(mutex_);
  std::vector<Thread> threads_ STRATA_GUARDED_BY(mutex_);
  std::size_t running_ STRATA_GUARDED_BY(mutex_) = 0;
  bool ending_ STRATA_GUARDED_BY(mutex_) = false;
};

}  // namespace strata::base
