// ChangeLog: the newest changes in the order of their versions, up to a number and a size.
//
// Always:  whole versions are kept or dropped; the newest version is always kept; every change
//          with a version above kept_after_ is there.
// Threads: any; it has a lock of its own, taken below the engine's.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include "backends/memory/version_store.h"
#include "base/mutex.h"
#include "strata/capabilities.h"

namespace strata::backends::memory {

class ChangeLog {
 public:
  struct Bounds {
    std::uint64_t changes_max = 65536;
    std::uint64_t bytes_max = 64ull * 1024 * 1024;
  };
  explicit ChangeLog(Bounds bounds) : bounds_(bounds) {}

  /// `payload` is the value of a put; `change.value` then stays empty.
  void add(Change change, Payload payload);
  /// The changes of this version are complete: who waits may read them.
  void publish(Version version);
  /// Forgets everything: only what comes after `version` will be there.
  void reset(Version version);
  /// As ChangeFeed.
  Result<> read(Version after, std::size_t limit, std::vector<Change>& changes);
  Result<bool> wait(Version after, std::chrono::milliseconds wait);
  /// Ends all waits.
  void close();

 private:
  struct Entry {
    Change change;
    Payload payload;
    std::uint64_t bytes() const {
      return change.key.size() + change.value.size() + (payload ? payload->size() : 0);
    }
  };
  void trim() STRATA_REQUIRES(mutex_);

  const Bounds bounds_;
  base::Mutex mutex_;
  base::CondVar published_;
  std::deque<Entry> entries_ STRATA_GUARDED_BY(mutex_);
  std::uint64_t bytes_ STRATA_GUARDED_BY(mutex_) = 0;
  Version kept_after_ STRATA_GUARDED_BY(mutex_);
  Version newest_ STRATA_GUARDED_BY(mutex_);
  bool closed_ STRATA_GUARDED_BY(mutex_) = false;
};

}  // namespace strata::backends::memory
