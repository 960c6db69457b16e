// One queue under one mutex: tasks here are disk calls, which cost more than the lock.
#include "base/thread_pool.h"

#include <utility>

#include "base/check.h"

namespace strata::base {

ThreadPool::ThreadPool(ThreadPoolOptions options) : options_(std::move(options)) {
  STRATA_CHECK(options_.threads_max >= 1);
}

ThreadPool::~ThreadPool() {
  std::vector<Thread> threads;
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    threads.swap(threads_);
  }
  ready_.notify_all();
  for (Thread& thread : threads) thread.join();
  const MutexLock lock(mutex_);
  STRATA_CHECK(waiting_.empty() && running_ == 0);
}

Result<> ThreadPool::submit(Task task) {
  {
    const MutexLock lock(mutex_);
    if (waiting_.size() >= options_.waiting_max) {
      return Error(Code::quota, "thread pool '" + options_.name + "': " +
                                    std::to_string(waiting_.size()) + " tasks wait already");
    }
    const std::size_t idle = threads_.size() - running_;
    if (!ending_ && waiting_.size() >= idle && threads_.size() < options_.threads_max) {
      // Without a further thread the others still get to it; without any, nobody does.
      const Result<> added = add_thread();
      if (!added && threads_.empty()) return added;
    }
    waiting_.push_back(std::move(task));
  }
  ready_.notify_one();
  return {};
}

Result<> ThreadPool::add_thread() {
  STRATA_LET(Thread thread, Thread::start(options_.name, [this] { run(); }));
  threads_.push_back(std::move(thread));
  return {};
}

void ThreadPool::drain() {
  const MutexLock lock(mutex_);
  while (!waiting_.empty() || running_ > 0) calm_.wait(mutex_);
}

void ThreadPool::run() {
  for (;;) {
    Task task;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !ending_) ready_.wait(mutex_);
      if (waiting_.empty()) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
      ++running_;
    }
    task();
    task = nullptr;  // what it holds is let go of before drain() returns
    const MutexLock lock(mutex_);
    --running_;
    if (waiting_.empty() && running_ == 0) calm_.notify_all();
  }
}

}  // namespace strata::base
