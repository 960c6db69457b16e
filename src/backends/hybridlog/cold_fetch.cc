#include "backends/hybridlog/cold_fetch.h"

#include <fmt/format.h>

#include "base/check.h"

namespace strata::backends::hybridlog {

namespace {
std::size_t whole_units(std::uint64_t bytes) {
  return static_cast<std::size_t>((bytes + kUnitBytes - 1) / kUnitBytes * kUnitBytes);
}
}  // namespace

bool ColdFetch::aim(const Log& log, LogAddress address, std::uint64_t hint) {
  segment_ = log.segment_at(address);
  if (segment_ == nullptr) return false;
  address_ = address;
  const std::uint64_t offset = address.value - segment_->first();
  from_ = offset / kUnitBytes * kUnitBytes;
  skip_ = static_cast<std::size_t>(offset - from_);
  bytes_ = whole_units(skip_ + std::max<std::uint64_t>(hint, kRecordHeadBytes + 8));
  return true;
}

io::AsyncRead ColdFetch::request() {
  const std::uint64_t there = whole_units(segment_->data_bytes());
  if (from_ + bytes_ > there) bytes_ = static_cast<std::size_t>(there > from_ ? there - from_ : 0);
  buffer_.reserve(bytes_);
  io::AsyncRead read;
  read.file = &segment_->file();
  read.offset = kSegmentHeaderBytes + from_;
  read.to = {buffer_.data(), bytes_};
  return read;
}

Result<bool> ColdFetch::take(const io::AsyncRead& done) {
  if (!done.result) return done.result.error();
  if (*done.result < bytes_ || bytes_ == 0) {
    return Error(Code::corruption,
                 fmt::format("{}: ends before log address {}", segment_->path(), address_.value));
  }
  STRATA_TRY(segment_->check(from_, {buffer_.data(), bytes_}));
  const std::optional<RecordBounds> bounds = bounds_of({buffer_.data() + skip_, bytes_ - skip_});
  if (bounds) {
    bounds_ = *bounds;
    if (bounds_.bytes <= bytes_ - skip_) return true;
  }
  const std::size_t wanted = whole_units(skip_ + (bounds ? bounds->bytes : kUnitBytes));
  if (wanted <= bytes_ || from_ + wanted > whole_units(segment_->data_bytes())) {
    return Error(Code::corruption, fmt::format("{}: the record at log address {} goes beyond it",
                                               segment_->path(), address_.value));
  }
  bytes_ = wanted;
  return false;
}

}  // namespace strata::backends::hybridlog
