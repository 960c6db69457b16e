// ReadQueue: positioned reads, many of them under way at once.
//
// There are two. One hands whole batches to the kernel (io_uring): read_all() submits and reaps in
// the calling thread, with one system call a window; start() has one thread that reaps. The other
// has a few threads that read one after another; it takes over wherever the first cannot be had:
// a kernel or container that refuses io_uring, a file without a descriptor (File::descriptor()).
//
// Errors:  go to the read that failed and to no other. They are final; only what the system asks
//          to repeat (EINTR, EAGAIN) is repeated.
// Threads: any, any number at once. Its own are started when first needed and joined by its end.
// Borrows: the reads, what they point to and the Completion, until the reads have ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "io/file_system.h"
#include "strata/result.h"

namespace strata::io {

class ReadBatch;

/// One read. Its owner keeps it where it is, untouched, until it has ended.
struct AsyncRead {
  File* file = nullptr;
  std::uint64_t offset = 0;
  std::span<char> to;
  /// Set when it has ended, as File::pread gives it.
  Result<std::size_t> result = std::size_t{0};
  ReadBatch* batch = nullptr;  ///< the queue's own
};

/// Is told that reads have ended. Must be quick: other reads wait for it.
class Completion {
 public:
  virtual void complete() noexcept = 0;

 protected:
  ~Completion() = default;
};

class ReadQueue {
 public:
  /// Waits for all that is under way, for what is told of it and for what that starts. Not from
  /// within complete().
  virtual ~ReadQueue() = default;

  /// Returns when all have ended. A single one is read by this thread, as File::pread does.
  virtual void read_all(std::span<AsyncRead> reads) = 0;
  /// `done` is told once, when the last has ended: by a thread of the queue or, when there is
  /// nothing to wait for or no thread can be had, by this one before it returns. It may start
  /// further reads, and let go of these.
  virtual void start(std::span<AsyncRead> reads, Completion& done) = 0;
  /// "io_uring" or "threads".
  virtual std::string_view kind() const noexcept = 0;
};

struct ReadQueueOptions {
  std::size_t depth =
      128;  ///< reads under way at once, of one read_all() and of all start(): 1 to 4096
  bool io_uring = true;  ///< where the kernel has it
};

/// For files of `files`. Code::invalid_argument: a depth out of its range.
Result<std::unique_ptr<ReadQueue>> make_read_queue(FileSystem& files,
                                                   const ReadQueueOptions& options = {});

}  // namespace strata::io
