// Checkpointer: makes what the store is at one version durable while writers run, and lets go of
// the files that the checkpoint before this one needed.
//
//   1  pin S; wait an epoch turn: every write with a version <= S is in the log
//   2  seal the log at T; wait a turn: nothing below T changes any more
//   3  write what lies below T, sync; sync the extents
//   4  manifest {S, the clock, T, segments}: durable by rename; unpin; remove what it names no more
//
// Records between S and T that are newer than S are void after a crash (Void). Writers are never
// stopped: while S is pinned, what S needs is not overwritten.
//
// Threads: any; one takes a checkpoint at a time. Holds the upkeep's lock for steps 2 and 4, and in
//          step 3 for one frame at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/hybridlog/parts.h"
#include "base/mutex.h"
#include "strata/capabilities.h"

namespace strata::backends::hybridlog {

class Checkpointer {
 public:
  /// `newest`: the manifest that the store was opened with.
  Checkpointer(Parts& parts, std::string folder, const Manifest& newest);

  Result<Checkpoint> take() STRATA_EXCLUDES(one_at_a_time_);
  /// The last one, when nobody writes any more: nothing is void after it.
  Result<Checkpoint> take_last() STRATA_EXCLUDES(one_at_a_time_);
  /// Whether something was written since the last one.
  bool anything_new() const noexcept { return parts_.dirty.load(std::memory_order_relaxed); }
  /// Takes one and copies its files into a folder that is there and empty.
  Result<Checkpoint> copy_to(const std::string& folder) STRATA_EXCLUDES(one_at_a_time_);
  /// Segments that count no more; their files go with the next checkpoint.
  void add_gone(std::vector<std::shared_ptr<Segment>> segments) STRATA_EXCLUDES(mutex_);
  std::uint64_t gone_bytes() const STRATA_EXCLUDES(mutex_);
  std::int64_t last_time_ms() const STRATA_EXCLUDES(mutex_);

  static std::string segments_folder(const std::string& folder) { return folder + "/segments"; }
  static std::string extents_folder(const std::string& folder) { return folder + "/extents"; }

 private:
  Result<Checkpoint> take_locked(bool last) STRATA_REQUIRES(one_at_a_time_);
  /// What was so when the snapshot was pinned.
  struct Before {
    std::uint64_t begin = 0;
    std::vector<std::shared_ptr<Segment>> gone;  ///< named by no manifest from this one on
    std::size_t dead = 0;                        ///< extents that were let go
  };
  Result<> publish(const VersionClock::Pin& pin, Before& before, std::uint64_t end,
                   std::uint64_t clock, std::int64_t time_ms) STRATA_REQUIRES(one_at_a_time_);

  Parts& parts_;
  const std::string folder_;
  base::Mutex one_at_a_time_;
  Manifest manifest_ STRATA_GUARDED_BY(one_at_a_time_);
  std::vector<std::shared_ptr<Segment>> named_by_last_ STRATA_GUARDED_BY(one_at_a_time_);
  std::size_t dead_at_last_ STRATA_GUARDED_BY(one_at_a_time_) = 0;
  mutable base::Mutex mutex_;
  std::vector<std::shared_ptr<Segment>> gone_ STRATA_GUARDED_BY(mutex_);
  std::int64_t last_time_ms_ STRATA_GUARDED_BY(mutex_) = 0;
};

}  // namespace strata::backends::hybridlog
