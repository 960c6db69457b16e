// ReadThreads: the ReadQueue that works everywhere, by File::pread in a few threads.
//
// Always:  read_all() needs no thread of the pool to come to its end: the caller reads as well.
// Threads: any.
// Owns:    its threads, 32 at most whatever the depth.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/thread_pool.h"
#include "io/read_queue.h"

namespace strata::io {

class ReadThreads final : public ReadQueue {
 public:
  explicit ReadThreads(std::size_t depth);
  void read_all(std::span<AsyncRead> reads) override;
  void start(std::span<AsyncRead> reads, Completion& done) override;
  std::string_view kind() const noexcept override { return "threads"; }

 private:
  const std::size_t threads_max_;
  base::ThreadPool pool_;
};

}  // namespace strata::io
