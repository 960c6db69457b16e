// ScanCursors: the 64-bit numbers that clients know in place of an engine's opaque cursors.
//
// Always: bounded in number and bytes; the oldest are forgotten first. A number that is not known
//         (any more) stands for the beginning, so SCAN's guarantee holds: what is there throughout
//         is returned at least once. 0 is the beginning and the end.
// Threads: any.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "base/mutex.h"
#include "strata/bytes.h"

namespace strata::server {

class ScanCursors {
 public:
  /// The number that stands for `cursor` from now on; 0 for an empty one.
  std::uint64_t number_of(BytesView cursor);
  /// The cursor of a number.
  Bytes cursor_of(std::uint64_t number) const;

  static constexpr std::size_t kCountMax = 65'536;
  static constexpr std::size_t kBytesMax = 16 * 1024 * 1024;

 private:
  mutable base::Mutex mutex_;
  std::unordered_map<std::uint64_t, Bytes> cursors_ STRATA_GUARDED_BY(mutex_);
  std::deque<std::uint64_t> order_ STRATA_GUARDED_BY(mutex_);
  std::size_t bytes_ STRATA_GUARDED_BY(mutex_) = 0;
  std::uint64_t next_ STRATA_GUARDED_BY(mutex_) = 1;
};

}  // namespace strata::server
