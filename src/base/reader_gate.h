// ReaderGate: many callers pass at once; one may close it, wait until all have left, and act alone.
//
// For what nearly never changes but everybody uses: the handle of an open store.
//
// Always:  each thread counts itself in a lane of its own, so passing costs one store that others
//          need not see soon, and no contention; who waits to be alone is not starved: newcomers
//          wait behind it, but for threads that are inside already.
// Threads: any. A thread that is inside may pass again (beyond kThreadIndexes threads at once it
//          may wait for ever then), but must not ask to be alone.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "base/mutex.h"
#include "base/thread_index.h"

namespace strata::base {

class ReaderGate {
 public:
  /// Inside from its constructor to its destructor, both in one thread.
  class Pass {
   public:
    explicit Pass(ReaderGate& gate) : gate_(gate), index_(gate.enter()) {}
    ~Pass() { gate_.leave(index_); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    ReaderGate& gate_;
    const std::uint32_t index_;
  };

  /// Alone from its constructor to its destructor.
  class Alone {
   public:
    explicit Alone(ReaderGate& gate) : gate_(gate) { gate_.close(); }
    ~Alone() { gate_.open(); }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

   private:
    ReaderGate& gate_;
  };

 private:
  struct alignas(64) Lane {
    std::atomic<std::uint32_t> inside{0};
  };

  // inside and closed_ are written by one side and then read by the other, each way round: both
  // sides need seq_cst, so that at least one sees the other.
  std::uint32_t enter() noexcept {
    const std::uint32_t index = thread_index();
    std::atomic<std::uint32_t>& inside = lanes_[index].inside;
    while (true) {
      std::uint32_t before = 0;
      if (index != kThreadIndexShared) [[likely]] {
        before = inside.load(std::memory_order_relaxed);
        inside.store(before + 1, std::memory_order_seq_cst);
      } else {
        inside.fetch_add(1, std::memory_order_seq_cst);
      }
      if (closed_.load(std::memory_order_seq_cst) == 0 || before != 0) [[likely]] {
        return index;
      }
      leave(index);
      closed_.wait(1, std::memory_order_acquire);
    }
  }

  void leave(std::uint32_t index) noexcept {
    std::atomic<std::uint32_t>& inside = lanes_[index].inside;
    if (index != kThreadIndexShared) [[likely]] {
      inside.store(inside.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    } else {
      inside.fetch_sub(1, std::memory_order_release);
    }
  }

  void close() STRATA_NO_THREAD_SAFETY_ANALYSIS {  // held until open()
    alone_.lock();
    closed_.store(1, std::memory_order_seq_cst);
    const std::uint32_t mark = thread_index_mark();
    for (std::uint32_t i = 0; i < mark; ++i) wait_for(lanes_[i]);
    wait_for(lanes_[kThreadIndexShared]);
  }

  /// By looking again and again: who leaves has nobody to wake, which would cost every pass.
  static void wait_for(const Lane& lane) noexcept {
    for (int round = 0; lane.inside.load(std::memory_order_seq_cst) != 0; ++round) {
      if (round < 64) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    }
  }

  void open() STRATA_NO_THREAD_SAFETY_ANALYSIS {
    closed_.store(0, std::memory_order_seq_cst);
    closed_.notify_all();
    alone_.unlock();
  }

  std::array<Lane, kThreadIndexes + 1> lanes_;
  std::atomic<std::uint32_t> closed_{0};
  Mutex alone_;
};

}  // namespace strata::base
