// Chooses how to read.
#include "io/read_queue.h"

#include <string>

#include "io/read_threads.h"
#include "io/uring_read_queue.h"

namespace strata::io {

namespace {

constexpr std::size_t kDepthMax = 4096;

}  // namespace

Result<std::unique_ptr<ReadQueue>> make_read_queue(FileSystem& files,
                                                   const ReadQueueOptions& options) {
  if (options.depth < 1 || options.depth > kDepthMax) {
    return Error(Code::invalid_argument, "read queue: depth " + std::to_string(options.depth) +
                                             " is not from 1 to " + std::to_string(kDepthMax));
  }
  if (options.io_uring && files.has_descriptors()) {
    std::unique_ptr<ReadQueue> queue = make_uring_read_queue(options.depth);
    if (queue != nullptr) return queue;
  }
  return std::make_unique<ReadThreads>(options.depth);
}

}  // namespace strata::io
