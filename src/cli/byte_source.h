// ByteSource: bytes that come one after another, from a file or standard input. Window: a part of
// them in memory, as much as a parser asks for.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/file_system.h"
#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::cli {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to to.size() bytes; 0 at the end.
  virtual Result<std::size_t> read(std::span<char> to) = 0;
};

class FileSource final : public ByteSource {
 public:
  FileSource(std::unique_ptr<io::File> file, std::uint64_t offset)
      : file_(std::move(file)), offset_(offset) {}
  Result<std::size_t> read(std::span<char> to) override;

 private:
  std::unique_ptr<io::File> file_;
  std::uint64_t offset_;
};

class StdinSource final : public ByteSource {
 public:
  Result<std::size_t> read(std::span<char> to) override;
};

/// For tests and fuzzing: gives at most `piece` bytes at a time.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(BytesView bytes, std::size_t piece = SIZE_MAX)
      : rest_(bytes), piece_(piece) {}
  Result<std::size_t> read(std::span<char> to) override;

 private:
  BytesView rest_;
  std::size_t piece_;
};

class Window {
 public:
  /// `offset` of the source's next byte in the whole.
  Window(ByteSource& source, std::uint64_t offset) : source_(source), offset_(offset) {}

  /// What is there and not yet taken. Valid until more() or take().
  BytesView view() const noexcept { return BytesView(buffer_).substr(taken_); }
  /// Reads further bytes behind the view; false: there are no more.
  Result<bool> more();
  void take(std::size_t bytes) noexcept { taken_ += bytes; }
  /// Of the view's first byte.
  std::uint64_t offset() const noexcept { return offset_ + taken_; }

 private:
  static constexpr std::size_t kPieceBytes = 256 * 1024;
  ByteSource& source_;
  std::uint64_t offset_;  // of the buffer's first byte
  std::string buffer_;
  std::size_t taken_ = 0;
};

}  // namespace strata::cli
