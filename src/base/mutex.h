// Mutex, SharedMutex, CondVar and the macros that let clang prove their use.
//
// Members say STRATA_GUARDED_BY(mutex_), helpers that expect the lock STRATA_REQUIRES(mutex_); the
// clang build turns a breach into an error. Under g++ the macros are empty.
//
// Always: nothing here is recursive; a lock is taken and released by the same thread.
// Cost:   that of std::mutex, std::shared_mutex and std::condition_variable.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define STRATA_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define STRATA_THREAD_ATTRIBUTE(x)
#endif

/// A type that can be held: "mutex".
#define STRATA_CAPABILITY(name) STRATA_THREAD_ATTRIBUTE(capability(name))
/// A type that holds one from its constructor to its destructor.
#define STRATA_SCOPED_CAPABILITY STRATA_THREAD_ATTRIBUTE(scoped_lockable)
/// A member that is read and written only under the mutex.
#define STRATA_GUARDED_BY(mutex) STRATA_THREAD_ATTRIBUTE(guarded_by(mutex))
/// A pointer whose target is guarded, not the pointer itself.
#define STRATA_PT_GUARDED_BY(mutex) STRATA_THREAD_ATTRIBUTE(pt_guarded_by(mutex))
/// A function whose caller holds the mutex (exclusively, or at least shared).
#define STRATA_REQUIRES(...) STRATA_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define STRATA_REQUIRES_SHARED(...) STRATA_THREAD_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
/// A function whose caller must not hold the mutex: it takes it itself.
#define STRATA_EXCLUDES(...) STRATA_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define STRATA_ACQUIRE(...) STRATA_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define STRATA_ACQUIRE_SHARED(...) STRATA_THREAD_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define STRATA_TRY_ACQUIRE(...) STRATA_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define STRATA_RELEASE(...) STRATA_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define STRATA_RELEASE_SHARED(...) STRATA_THREAD_ATTRIBUTE(release_shared_capability(__VA_ARGS__))
#define STRATA_RELEASE_GENERIC(...) STRATA_THREAD_ATTRIBUTE(release_generic_capability(__VA_ARGS__))
#define STRATA_RETURN_CAPABILITY(x) STRATA_THREAD_ATTRIBUTE(lock_returned(x))
#define STRATA_ACQUIRED_BEFORE(...) STRATA_THREAD_ATTRIBUTE(acquired_before(__VA_ARGS__))
/// For the rare function that is right in a way the analysis cannot follow; say why beside it.
#define STRATA_NO_THREAD_SAFETY_ANALYSIS STRATA_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace strata::base {

/// Exclusive lock. Prefer MutexLock to calling lock() and unlock().
class STRATA_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() STRATA_ACQUIRE() { mutex_.lock(); }
  void unlock() STRATA_RELEASE() { mutex_.unlock(); }
  bool try_lock() STRATA_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

/// Many readers or one writer.
class STRATA_CAPABILITY("shared_mutex") SharedMutex {
 public:
  SharedMutex() = default;
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void lock() STRATA_ACQUIRE() { mutex_.lock(); }
  void unlock() STRATA_RELEASE() { mutex_.unlock(); }
  void lock_shared() STRATA_ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() STRATA_RELEASE_SHARED() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

/// Holds a Mutex while it lives.
class STRATA_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) STRATA_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() STRATA_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Holds a SharedMutex for reading while it lives.
class STRATA_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) STRATA_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReaderLock() STRATA_RELEASE_GENERIC() { mutex_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

/// Holds a SharedMutex for writing while it lives.
class STRATA_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) STRATA_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~WriterLock() STRATA_RELEASE() { mutex_.unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

/// Waits under a Mutex. Waits may end without a reason: always wait in a loop over the condition
/// (`while (queue_.empty()) ready_.wait(mutex_);`), which the analysis can follow into.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void wait(Mutex& mutex) STRATA_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  /// At most `ms` milliseconds of real time; false when they ran out first.
  bool wait_for_ms(Mutex& mutex, std::int64_t ms) STRATA_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_for(lock, std::chrono::milliseconds(ms));
    lock.release();
    return status == std::cv_status::no_timeout;
  }

  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace strata::base
