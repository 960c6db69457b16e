// Watchers: who wants to hear of changes in which range.
//
// Threads: any. Listeners are called under the lock, so that none is called once its handle has
//          ended; it is taken under no other lock of the engine.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "strata/capabilities.h"

namespace strata::backends::memory {

/// What changed: one key (`end` unused), or, if `whole`, [key, end) with an empty end as no end.
struct Touched {
  Keyspace space{};
  Bytes key;
  Bytes end;
  bool whole = false;
};

class Watchers {
 public:
  std::unique_ptr<WatchHandle> add(const Range& range, Watch::Listener listener);
  void tell(const std::vector<Touched>& touched);
  /// Anything may have changed.
  void tell_all();

 private:
  struct Entry {
    Range range;
    Watch::Listener listener;
  };
  /// Shared with the handles, which may end after the engine.
  struct State {
    base::Mutex mutex;
    std::list<Entry> entries STRATA_GUARDED_BY(mutex);
  };
  class Handle;

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace strata::backends::memory
