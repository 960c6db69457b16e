// Bytes and BytesView: any bytes, owned and borrowed. Value: the bytes a read gives.
//
// Always: a Value owns (or shares the ownership of) what it shows, so it can never dangle; one
//         that is used again for the next read allocates nothing once it has grown.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace strata {

using Bytes = std::string;           ///< owned bytes; any content, NUL included
using BytesView = std::string_view;  ///< borrowed bytes; whoever hands one out says until when

/// The bytes of one read. The caller owns it and should use it again: an engine either copies
/// into its buffer (small values) or hands over a share of immutable memory (large values, which
/// are then never copied). Threads: one at a time.
class Value {
 public:
  Value() noexcept = default;
  Value(Value&& other) noexcept { swap(other); }
  Value& operator=(Value&& other) noexcept {
    Value(std::move(other)).swap(*this);
    return *this;
  }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  ~Value() = default;

  static constexpr std::size_t kSlackBytes = 8;

  /// Valid until the next change of this Value or its end.
  BytesView view() const noexcept { return {data_, bytes_}; }
  const char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_ == 0; }
  Bytes to_bytes() const { return Bytes(view()); }

  /// Forgets the bytes; keeps the buffer for the next read.
  void clear() noexcept {
    pin_.reset();
    data_ = buffer_.get();
    bytes_ = 0;
  }

  /// For engines: room for `bytes` bytes to be written by the caller before anyone reads; if there
  /// are any, kSlackBytes behind them may be written, too. What was here before is lost.
  char* prepare(std::size_t bytes) {
    if (pin_ != nullptr) [[unlikely]]
      pin_.reset();
    if (bytes > capacity_) grow(bytes);
    data_ = buffer_.get();
    bytes_ = bytes;
    return buffer_.get();
  }

  /// The same where it takes no memory and gives none back; else null, and nothing was done.
  char* prepare_at_once(std::size_t bytes) noexcept {
    if (pin_ != nullptr || bytes > capacity_) [[unlikely]]
      return nullptr;
    data_ = buffer_.get();
    bytes_ = bytes;
    return buffer_.get();
  }

  /// For engines: a copy of `bytes`.
  void assign(BytesView bytes) {
    char* to = prepare(bytes.size());
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  }

  /// For engines: shows `bytes` without copying. `owner` keeps them alive and unchanged.
  void pin(BytesView bytes, std::shared_ptr<const void> owner) noexcept {
    pin_ = std::move(owner);
    data_ = bytes.data();
    bytes_ = bytes.size();
  }

  void swap(Value& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(buffer_, other.buffer_);
    std::swap(capacity_, other.capacity_);
    std::swap(pin_, other.pin_);
  }

 private:
  void grow(std::size_t bytes) {
    std::size_t capacity = capacity_ < 64 ? 64 : capacity_ + capacity_ / 2;
    if (capacity < bytes) capacity = bytes;
    buffer_ = std::make_unique_for_overwrite<char[]>(capacity + kSlackBytes);
    capacity_ = capacity;
  }

  const char* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::shared_ptr<const void> pin_;
};

}  // namespace strata
