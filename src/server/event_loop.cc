#include "server/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/check.h"
#include "io/system_error.h"

namespace strata::server {
namespace {

constexpr int kEventsMax = 256;

epoll_event event_of(EventLoop::Watcher* watcher, EventLoop::Interest interest) {
  epoll_event event{};
  if (interest.readable) event.events |= EPOLLIN;
  if (interest.writable) event.events |= EPOLLOUT;
  if (interest.hangup) event.events |= EPOLLRDHUP;
  event.data.ptr = watcher;
  return event;
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::open(base::Clock& clock) {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return io::system_error("epoll_create1", "event loop", errno);
  Descriptor bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) return io::system_error("eventfd", "event loop", errno);
  epoll_event event = event_of(nullptr, {.readable = true});
  if (::epoll_ctl(epoll.number(), EPOLL_CTL_ADD, bell.number(), &event) != 0) {
    return io::system_error("epoll_ctl", "event loop", errno);
  }
  return std::unique_ptr<EventLoop>(new EventLoop(clock, std::move(epoll), std::move(bell)));
}

EventLoop::EventLoop(base::Clock& clock, Descriptor epoll, Descriptor bell)
    : clock_(clock), epoll_(std::move(epoll)), bell_(std::move(bell)), now_ms_(clock.wall_ms()) {}

Result<> EventLoop::watch(int descriptor, Watcher& watcher, Interest interest) {
  epoll_event event = event_of(&watcher, interest);
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return io::system_error("epoll_ctl", "connection", errno);
  }
  return {};
}

void EventLoop::change(int descriptor, Watcher& watcher, Interest interest) {
  epoll_event event = event_of(&watcher, interest);
  STRATA_CHECK(::epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, descriptor, &event) == 0);
}

void EventLoop::forget(int descriptor) {
  epoll_event event{};
  STRATA_CHECK(::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, descriptor, &event) == 0);
}

void EventLoop::post(Task task) {
  bool first = false;
  {
    const base::MutexLock lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  // Whoever finds something there already knows that the bell was rung for it.
  if (first) (void)::eventfd_write(bell_.number(), 1);
}

void EventLoop::stop() {
  post([this] { running_ = false; });
}

EventLoop::TimerId EventLoop::call_after_ms(std::int64_t ms, Task task) {
  const TimerId timer = ++last_timer_;
  const std::int64_t due_ms = clock_.monotonic_ms() + std::max<std::int64_t>(ms, 0);
  timers_.emplace(std::pair(due_ms, timer), std::move(task));
  timers_due_.emplace(timer, due_ms);
  return timer;
}

void EventLoop::cancel(TimerId timer) {
  const auto due = timers_due_.find(timer);
  if (due == timers_due_.end()) return;
  timers_.erase({due->second, timer});
  timers_due_.erase(due);
}

int EventLoop::wait_ms() const {
  if (timers_.empty()) return -1;
  const std::int64_t wait = timers_.begin()->first.first - clock_.monotonic_ms();
  return static_cast<int>(std::clamp<std::int64_t>(wait + 1, 0, 60'000));
}

void EventLoop::run_timers() {
  if (timers_.empty()) return;
  const std::int64_t now_ms = clock_.monotonic_ms();
  while (!timers_.empty() && timers_.begin()->first.first <= now_ms) {
    auto timer = timers_.extract(timers_.begin());
    timers_due_.erase(timer.key().second);
    timer.mapped()();
  }
}

void EventLoop::run_posted() {
  std::vector<Task> tasks;
  {
    const base::MutexLock lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

void EventLoop::run_deferred() {
  // A deferred task may defer another.
  while (!deferred_.empty()) {
    std::vector<Task> tasks;
    tasks.swap(deferred_);
    for (Task& task : tasks) task();
  }
}

void EventLoop::run() {
  std::array<epoll_event, kEventsMax> events;
  while (running_) {
    const int count = ::epoll_wait(epoll_.number(), events.data(), kEventsMax, wait_ms());
    STRATA_CHECK(count >= 0 || errno == EINTR);
    now_ms_ = clock_.wall_ms();
    bool rung = false;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == nullptr) {
        rung = true;
        continue;
      }
      const bool failed = (event.events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0;
      static_cast<Watcher*>(event.data.ptr)
          ->ready(failed || (event.events & EPOLLIN) != 0, failed || (event.events & EPOLLOUT) != 0,
                  failed);
    }
    if (rung) {
      eventfd_t rings = 0;
      (void)::eventfd_read(bell_.number(), &rings);
      run_posted();
    }
    run_timers();
    run_deferred();
  }
}

}  // namespace strata::server
