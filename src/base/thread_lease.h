// ThreadLease: a T that its thread uses again and again, so that what it has grown to is kept; a
// new one where the thread's own is in use (a callback that comes back to where it came from).
//
// Always:  the T is as its last user left it.
// Threads: one.
#pragma once

#include <memory>
#include <utility>

namespace strata::base {

template <class T>
class ThreadLease {
 public:
  ThreadLease() : held_(std::exchange(own().taken, true) ? new T() : &own().object) {}
  ~ThreadLease() {
    if (held_ != &own().object) [[unlikely]] {
      delete held_;
      return;
    }
    own().taken = false;
  }
  ThreadLease(const ThreadLease&) = delete;
  ThreadLease& operator=(const ThreadLease&) = delete;

  T& operator*() const noexcept { return *held_; }
  T* operator->() const noexcept { return held_; }

 private:
  struct Own {
    T object;
    bool taken = false;
  };
  static Own& own() {
    thread_local Own own;
    return own;
  }

  T* const held_;
};

}  // namespace strata::base
