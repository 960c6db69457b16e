// Upkeep: what a store does beside its reads and writes: memory for the tail, growth of the index,
// compaction, what snapshots have left behind.
//
// Threads: one of its own, if it is told to have one; step() from any thread.
// Always:  a step is bounded; writers that wait for memory are served between two pieces of it.
#pragma once

#include <atomic>
#include <memory>
#include <semaphore>

#include "backends/hybridlog/checkpoint.h"
#include "backends/hybridlog/compactor.h"
#include "backends/hybridlog/expirer.h"
#include "backends/hybridlog/parts.h"
#include "backends/hybridlog/reader.h"
#include "backends/hybridlog/writer.h"
#include "base/thread.h"

namespace strata::backends::hybridlog {

class Upkeep {
 public:
  /// `checkpointer` null: memory only.
  /// With `interval_ms` above 0 a checkpoint is taken that often while there is something new.
  Upkeep(Parts& parts, Reader& reader, Writer& writer, Expirer& expirer, Checkpointer* checkpointer,
         std::int64_t interval_ms);
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  Result<> start_thread();
  /// Joins the thread; it may be started again.
  void stop();
  /// Makes the thread look now. Never waits. Where there is no thread, the work is done by this.
  void kick() noexcept;

  /// A piece of everything but expiry; true when there is more to do.
  Result<bool> step();
  /// Takes the interval's checkpoint, if it is due.
  Result<> keep_interval();
  /// Compacts until little is left to gain.
  Result<> compact_all();

  std::uint64_t segments_compacted() const noexcept {
    return compacted_.load(std::memory_order_relaxed);
  }

 private:
  void run();
  /// What the thread does: step(), and some of what has expired.
  Result<bool> own_step();
  Result<> room_step();
  Result<bool> compaction_step(bool all);
  bool growth_step();
  bool dead_share_is_large();

  Parts& parts_;
  Expirer& expirer_;
  Checkpointer* const checkpointer_;
  const std::int64_t interval_ns_;
  std::atomic<std::int64_t> saved_ns_;  // relaxed: when the last interval began
  Compactor compactor_ STRATA_GUARDED_BY(parts_.upkeep_mutex);
  std::atomic<bool> kicked_{false};  // acq_rel, with the semaphore
  std::binary_semaphore wake_{0};
  std::atomic<bool> ending_{false};          // acquire and release: with stop()
  std::atomic<std::uint64_t> compacted_{0};  // relaxed: a figure
  base::Thread thread_;
};

}  // namespace strata::backends::hybridlog
