// ColdFetch: one record's way from the device: which units to read, what was read, checked.
//
// Always:  what record() shows has passed its checksums and is whole.
// Threads: one at a time.
#pragma once

#include <memory>
#include <optional>

#include "backends/hybridlog/log.h"
#include "backends/hybridlog/record.h"
#include "io/read_queue.h"

namespace strata::backends::hybridlog {

class ColdFetch {
 public:
  /// Aims at a record; `hint` is about how many bytes it may have. False: its segment is gone.
  bool aim(const Log& log, LogAddress address, std::uint64_t hint);
  /// The read to be done next. The fetch must not move until it is.
  io::AsyncRead request();
  /// Takes what the read gave: true when the record is whole, false when more must be read (ask
  /// request() again). An error names the segment and the place.
  Result<bool> take(const io::AsyncRead& done);
  /// Valid until aim().
  BytesView record() const noexcept { return {buffer_.data() + skip_, bounds_.bytes}; }
  LogAddress address() const noexcept { return address_; }

 private:
  LogAddress address_;
  std::shared_ptr<Segment> segment_;
  UnitBuffer buffer_;
  std::uint64_t from_ = 0;  // of the data of the segment, whole units
  std::size_t bytes_ = 0;   // whole units
  std::size_t skip_ = 0;    // from the first unit to the record
  RecordBounds bounds_;
};

}  // namespace strata::backends::hybridlog
