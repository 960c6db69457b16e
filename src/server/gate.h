// Gate: lets all operations run at once, or one alone (FLUSHDB and SWAPDB, which change what a
// database number means).
//
// Each I/O thread passes through a lock of its own, on a cache line of its own, so that passing
// costs no shared write; whoever must be alone takes all of them, in ascending order.
// An operation passes only while its handler and commit run, never while it waits for a read.
#pragma once

#include <memory>

#include "base/mutex.h"

namespace strata::server {

class Gate {
 public:
  explicit Gate(unsigned lanes) : lanes_(lanes), lane_(std::make_unique<Lane[]>(lanes)) {}

  void enter(unsigned lane) STRATA_NO_THREAD_SAFETY_ANALYSIS { lane_[lane % lanes_].mutex.lock(); }
  void leave(unsigned lane) STRATA_NO_THREAD_SAFETY_ANALYSIS {
    lane_[lane % lanes_].mutex.unlock();
  }
  void enter_alone() STRATA_NO_THREAD_SAFETY_ANALYSIS {
    for (unsigned lane = 0; lane < lanes_; ++lane) lane_[lane].mutex.lock();
  }
  void leave_alone() STRATA_NO_THREAD_SAFETY_ANALYSIS {
    for (unsigned lane = lanes_; lane-- > 0;) lane_[lane].mutex.unlock();
  }

 private:
  struct alignas(64) Lane {
    base::Mutex mutex;
  };
  const unsigned lanes_;
  std::unique_ptr<Lane[]> lane_;
};

/// Holds the gate for one run.
class GatePass {
 public:
  GatePass(Gate& gate, unsigned lane, bool alone) : gate_(gate), lane_(lane), alone_(alone) {
    alone_ ? gate_.enter_alone() : gate_.enter(lane_);
  }
  ~GatePass() { alone_ ? gate_.leave_alone() : gate_.leave(lane_); }
  GatePass(const GatePass&) = delete;
  GatePass& operator=(const GatePass&) = delete;

 private:
  Gate& gate_;
  const unsigned lane_;
  const bool alone_;
};

}  // namespace strata::server
