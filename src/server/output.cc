#include "server/output.h"

#include <algorithm>

namespace strata::server {

void OutputBuffer::append(BytesView bytes) {
  if (bytes.empty()) return;
  if (pieces_.empty() || !pieces_.back().value.empty() ||
      pieces_.back().bytes.size() + bytes.size() > kPieceBytes) {
    pieces_.emplace_back();
  }
  pieces_.back().bytes.append(bytes);
  bytes_ += bytes.size();
}

void OutputBuffer::append(Value& value) {
  if (value.size() < kShareBytes) {
    append(value.view());
    return;
  }
  bytes_ += value.size();
  pieces_.emplace_back().value = std::move(value);
}

OutputBuffer::Mark OutputBuffer::mark() const noexcept {
  return {pieces_.size(), pieces_.empty() ? 0 : pieces_.back().bytes.size(), bytes_};
}

void OutputBuffer::rollback(const Mark& mark) {
  while (pieces_.size() > mark.pieces) pieces_.pop_back();
  if (!pieces_.empty()) pieces_.back().bytes.resize(mark.last_bytes);
  bytes_ = mark.bytes;
}

std::size_t OutputBuffer::gather(std::span<iovec> vectors) const noexcept {
  std::size_t filled = 0;
  std::size_t skip = sent_;
  for (const Piece& piece : pieces_) {
    if (filled == vectors.size()) break;
    const BytesView view = piece.view().substr(skip);
    skip = 0;
    if (view.empty()) continue;
    vectors[filled++] = {const_cast<char*>(view.data()), view.size()};
  }
  return filled;
}

void OutputBuffer::consume(std::size_t bytes) noexcept {
  bytes_ -= bytes;
  sent_ += bytes;
  while (!pieces_.empty() && sent_ >= pieces_.front().view().size()) {
    sent_ -= pieces_.front().view().size();
    // The last piece keeps its memory for the next replies.
    if (pieces_.size() == 1 && pieces_.front().value.empty() && sent_ == 0) {
      pieces_.front().bytes.clear();
      return;
    }
    pieces_.pop_front();
  }
}

void OutputBuffer::clear() noexcept {
  pieces_.clear();
  sent_ = 0;
  bytes_ = 0;
}

}  // namespace strata::server
