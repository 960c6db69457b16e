// Each call is one shared batch, from which the threads that help with it take read after read.
#include "io/read_threads.h"

#include <algorithm>
#include <memory>

#include "base/mutex.h"

namespace strata::io {

using base::MutexLock;

namespace {

constexpr std::size_t kThreadsMax = 32;

/// Reads of one call. Shared, since a helper may come to it after the last read has ended and the
/// caller has gone.
class SharedReads {
 public:
  /// `done` may be null.
  SharedReads(std::span<AsyncRead> reads, Completion* done) : reads_(reads), done_(done) {}

  /// Does reads until none is left to begin.
  void help() STRATA_EXCLUDES(mutex_) {
    while (AsyncRead* const read = next()) {
      read->result = read->file->pread(read->offset, read->to);
      if (end_one() && done_ != nullptr) done_->complete();
    }
  }

  /// Until all have ended.
  void wait() STRATA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (ended_ < reads_.size()) all_ended_.wait(mutex_);
  }

 private:
  AsyncRead* next() STRATA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return begun_ < reads_.size() ? &reads_[begun_++] : nullptr;
  }

  /// True: it was the last.
  bool end_one() STRATA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (++ended_ < reads_.size()) return false;
    all_ended_.notify_all();
    return true;
  }

  const std::span<AsyncRead> reads_;
  Completion* const done_;

  base::Mutex mutex_;  // reads are disk calls, which cost more than the lock
  base::CondVar all_ended_;
  std::size_t begun_ STRATA_GUARDED_BY(mutex_) = 0;
  std::size_t ended_ STRATA_GUARDED_BY(mutex_) = 0;
};

/// Gives how many of `helpers` will come.
std::size_t call_helpers(base::ThreadPool& pool, const std::shared_ptr<SharedReads>& shared,
                         std::size_t helpers) {
  for (std::size_t called = 0; called < helpers; ++called) {
    if (!pool.submit([shared] { shared->help(); })) return called;
  }
  return helpers;
}

}  // namespace

ReadThreads::ReadThreads(std::size_t depth)
    : threads_max_(std::min(depth, kThreadsMax)),
      pool_({.name = "strata-read", .threads_max = threads_max_}) {}

void ReadThreads::read_all(std::span<AsyncRead> reads) {
  if (reads.empty()) return;
  const auto shared = std::make_shared<SharedReads>(reads, nullptr);
  call_helpers(pool_, shared, std::min(reads.size(), threads_max_) - 1);
  shared->help();
  shared->wait();
}

void ReadThreads::start(std::span<AsyncRead> reads, Completion& done) {
  if (reads.empty()) return done.complete();
  const auto shared = std::make_shared<SharedReads>(reads, &done);
  if (call_helpers(pool_, shared, std::min(reads.size(), threads_max_)) == 0) shared->help();
}

}  // namespace strata::io
