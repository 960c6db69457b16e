// A pair of fences of which one is nearly free: for what is often done by readers and seldom by
// whoever waits for them.
//
//   reader:  flag.store(1, relaxed); light_fence(); look at `closed`
//   closer:  closed.store(true);     heavy_fence(); look at `flag`         one sees the other
//
// The heavy one interrupts every processor on which a thread of this process runs (Linux:
// membarrier, some microseconds), so that the light one need only keep the compiler from moving
// loads and stores across it. Where that is not to be had, asymmetric_fences() is false, and both
// sides need seq_cst operations of their own.
//
// Threads: any.
#pragma once

#include <atomic>

namespace strata::base {

/// The same for the whole life of the process.
bool asymmetric_fences() noexcept;

inline void light_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }
/// Only where asymmetric_fences().
void heavy_fence() noexcept;

}  // namespace strata::base
