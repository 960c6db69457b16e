#include "server/scan_cursors.h"

namespace strata::server {

std::uint64_t ScanCursors::number_of(BytesView cursor) {
  if (cursor.empty()) return 0;
  const base::MutexLock lock(mutex_);
  const std::uint64_t number = next_++;
  cursors_.emplace(number, cursor);
  order_.push_back(number);
  bytes_ += cursor.size();
  while (order_.size() > kCountMax || (bytes_ > kBytesMax && order_.size() > 1)) {
    const auto oldest = cursors_.find(order_.front());
    bytes_ -= oldest->second.size();
    cursors_.erase(oldest);
    order_.pop_front();
  }
  return number;
}

Bytes ScanCursors::cursor_of(std::uint64_t number) const {
  const base::MutexLock lock(mutex_);
  const auto known = cursors_.find(number);
  return known == cursors_.end() ? Bytes() : known->second;
}

}  // namespace strata::server
