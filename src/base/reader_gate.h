// ReaderGate: many callers pass at once; one may close it, wait until all have left, and act alone.
//
// For what nearly never changes but everybody uses: the handle of an open store.
//
// Always:  callers never write one cache line together, so passing costs no contention; who waits
//          to be alone is not starved: newcomers wait behind it.
// Threads: any. A thread that is inside must not pass a second time, nor ask to be alone.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "base/thread_index.h"

namespace strata::base {

class ReaderGate {
  struct alignas(64) Lane {
    std::atomic<std::uint32_t> inside{0};
  };

 public:
  /// Inside from its constructor to its destructor.
  class Pass {
   public:
    explicit Pass(ReaderGate& gate) : gate_(gate), lane_(gate.enter()) {}
    ~Pass() { gate_.leave(lane_); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    ReaderGate& gate_;
    Lane& lane_;
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
  // inside and closed_ are written by one side and then read by the other, each way round: both
  // sides need seq_cst, so that at least one sees the other.
  Lane& enter() {
    Lane& lane = lanes_[thread_index() % kLanes];
    while (true) {
      lane.inside.fetch_add(1, std::memory_order_seq_cst);
      if (closed_.load(std::memory_order_seq_cst) == 0) return lane;
      leave(lane);
      closed_.wait(1, std::memory_order_acquire);
    }
  }

  void leave(Lane& lane) {
    lane.inside.fetch_sub(1, std::memory_order_seq_cst);
    if (closed_.load(std::memory_order_seq_cst) != 0) lane.inside.notify_all();
  }

  void close() STRATA_NO_THREAD_SAFETY_ANALYSIS {  // held until open()
    alone_.lock();
    closed_.store(1, std::memory_order_seq_cst);
    for (Lane& lane : lanes_) {
      while (const std::uint32_t inside = lane.inside.load(std::memory_order_seq_cst)) {
        lane.inside.wait(inside, std::memory_order_acquire);
      }
    }
  }

  void open() STRATA_NO_THREAD_SAFETY_ANALYSIS {
    closed_.store(0, std::memory_order_seq_cst);
    closed_.notify_all();
    alone_.unlock();
  }

  static constexpr std::size_t kLanes = 16;
  std::array<Lane, kLanes> lanes_;
  std::atomic<std::uint32_t> closed_{0};
  Mutex alone_;
};

}  // namespace strata::base
