// Starting a thread, without signals and with a name.
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

namespace strata::base {
namespace {

/// Blocks signals in this thread while it lives: a thread started meanwhile inherits that from its
/// first instruction on. Those that a thread raises itself by a fault stay as they are.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
      ::sigdelset(&all, fault);
    }
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Result<Thread> Thread::start(const std::string& name, std::function<void()> body) {
  const SignalsBlocked blocked;
  try {
    return Thread(std::thread([name = name.substr(0, 15), body = std::move(body)] {
      ::pthread_setname_np(::pthread_self(), name.c_str());
      body();
    }));
  } catch (const std::system_error& error) {
    return Error(Code::unavailable, "cannot start thread '" + name + "': " + error.what());
  }
}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    join();
    thread_ = std::move(other.thread_);
  }
  return *this;
}

void Thread::join() noexcept {
  if (thread_.joinable()) thread_.join();
}

}  // namespace strata::base
