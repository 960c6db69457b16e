// read_all() takes a ring of its own for the call, out of a few that are kept, so that threads do
// not meet. start() shares one ring: submitted to under a mutex, reaped by one thread.
//
// A ring's completions are never more than it has room for: what is under way is bounded by depth.
#include "io/uring_read_queue.h"

#include <liburing.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "base/sanitizers.h"
#include "base/thread.h"
#include "io/read_threads.h"
#include "io/system_error.h"

namespace strata::io {

using base::MutexLock;

/// Reads that start() was given, until the last has ended.
class ReadBatch {
 public:
  ReadBatch(std::span<AsyncRead> reads, Completion& done)
      : reads_(reads), left_(reads.size()), done_(done) {}

  /// Gives the next to begin; not when is_begun().
  AsyncRead& next() { return reads_[begun_++]; }
  bool is_begun() const { return begun_ == reads_.size(); }
  /// True: it was the last.
  bool end_one() { return --left_ == 0; }
  void complete() noexcept { done_.complete(); }

 private:
  const std::span<AsyncRead> reads_;
  std::size_t begun_ = 0;  // guarded by the starter's mutex
  std::size_t left_;       // the reaper's
  Completion& done_;
};

namespace {

constexpr bool kThreadSanitizer = STRATA_THREAD_SANITIZER != 0;

constexpr std::size_t kReadBytesMax = std::size_t{1} << 30;  // Linux takes just under 2 GiB

/// What the system asks to repeat. ECANCELED: the thread that submitted it has ended since.
bool is_to_repeat(int error_number) {
  return error_number == EINTR || error_number == EAGAIN || error_number == ECANCELED;
}

/// Takes the kernel's answer to a read; false when the rest of it must be submitted.
bool take(AsyncRead& read, int answer) {
  const std::size_t before = *read.result;
  if (answer < 0 && is_to_repeat(-answer)) {
    // Here and now, so that an answer which keeps coming cannot keep a thread busy.
    Result<std::size_t> rest = read.file->pread(read.offset + before, read.to.subspan(before));
    if (rest) *rest += before;
    read.result = std::move(rest);
    return true;
  }
  if (answer < 0) {
    read.result = read_error(read.file->path(), read.offset + before, -answer);
    return true;
  }
  const std::size_t now = before + static_cast<std::size_t>(answer);
  STRATA_CHECK(now <= read.to.size());
  read.result = now;
  if (answer == 0 || now == read.to.size()) return true;
  // A part of a unit is there only at the end of a direct file.
  return read.file->is_direct() && now % kDirectBytes != 0;
}

/// Threads: its users see to it; submitting and reaping may be two threads.
class Ring {
 public:
  /// Null: refused.
  static std::unique_ptr<Ring> make(std::size_t depth, unsigned flags) {
    std::unique_ptr<Ring> ring(new Ring(depth));
    io_uring_params params{};
    params.flags = flags;
    // One more, for the call that wakes the reaper.
    const auto entries = static_cast<unsigned>(depth + 1);
    int answer = ::io_uring_queue_init_params(entries, &ring->ring_, &params);
    if (answer == -EINVAL && flags != 0) {  // a kernel that does not know them
      params = {};
      answer = ::io_uring_queue_init_params(entries, &ring->ring_, &params);
    }
    if (answer < 0) return nullptr;
    ring->made_ = true;
    return ring->can_read() ? std::move(ring) : nullptr;
  }
  ~Ring() {
    if (made_) ::io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  std::size_t depth() const noexcept { return depth_; }

  /// The part of `read` that its result does not count yet.
  void push(AsyncRead& read) {
    const std::size_t done = *read.result;
    const std::size_t bytes = std::min(read.to.size() - done, kReadBytesMax);
    STRATA_DCHECK(!read.file->is_direct() || is_direct_aligned(read.offset, read.to));
    io_uring_sqe* const entry = new_entry();
    ::io_uring_prep_read(entry, read.file->descriptor(), read.to.data() + done,
                         static_cast<unsigned>(bytes), read.offset + done);
    ::io_uring_sqe_set_data(entry, &read);
  }
  /// reap() will give a null for it.
  void push_wake() {
    io_uring_sqe* const entry = new_entry();
    ::io_uring_prep_nop(entry);
    ::io_uring_sqe_set_data(entry, nullptr);
  }

  /// All that was pushed is under way when it returns.
  void submit() {
    while (::io_uring_sq_ready(&ring_) > 0) {
      if (!accepted(::io_uring_submit(&ring_))) ::sched_yield();
    }
  }
  /// As far as the system takes it, and waits for `count` ends if it takes all.
  void submit_and_wait(std::size_t count) {
    if (!accepted(::io_uring_submit_and_wait(&ring_, static_cast<unsigned>(count)))) {
      ::sched_yield();
    }
  }
  /// Until there is an end to reap.
  void wait() {
    io_uring_cqe* end = nullptr;
    while (!accepted(::io_uring_wait_cqe(&ring_, &end))) ::sched_yield();
  }
  /// Calls visit(AsyncRead*, answer) for each end that is there.
  template <class Visit>
  void reap(Visit visit) {
    unsigned head = 0;
    unsigned count = 0;
    const io_uring_cqe* end = nullptr;
    io_uring_for_each_cqe(&ring_, head, end) {
      visit(static_cast<AsyncRead*>(::io_uring_cqe_get_data(end)), end->res);
      ++count;
    }
    ::io_uring_cq_advance(&ring_, count);
  }

 private:
  explicit Ring(std::size_t depth) : depth_(depth) {}

  /// Kernels before 5.6 have rings that cannot read into plain memory.
  bool can_read() {
    io_uring_probe* const probe = ::io_uring_get_probe_ring(&ring_);
    if (probe == nullptr) return false;
    const bool can = ::io_uring_opcode_supported(probe, IORING_OP_READ) != 0;
    ::io_uring_free_probe(probe);
    return can;
  }

  io_uring_sqe* new_entry() {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
    STRATA_CHECK(entry != nullptr);  // no more than depth are under way
    return entry;
  }

  /// False: to be repeated. Other answers there are only to a wrong call.
  static bool accepted(int answer) {
    if (answer >= 0) return true;
    STRATA_CHECK(answer == -EINTR || answer == -EAGAIN || answer == -EBUSY);
    return false;
  }

  const std::size_t depth_;
  bool made_ = false;
  io_uring ring_{};
};

/// All of `reads`, by this thread, over a ring that nobody else uses meanwhile.
void read_all_over(Ring& ring, std::span<AsyncRead> reads) {
  std::size_t begun = 0;
  std::size_t under_way = 0;
  while (begun < reads.size() || under_way > 0) {
    for (; begun < reads.size() && under_way < ring.depth(); ++begun, ++under_way) {
      reads[begun].result = std::size_t{0};
      ring.push(reads[begun]);
    }
    // While there are more to begin, an eighth at a time: few system calls, and the device is
    // never short of work.
    const bool more = begun < reads.size();
    ring.submit_and_wait(more ? std::max<std::size_t>(under_way / 8, 1) : under_way);
    ring.reap([&](AsyncRead* read, int answer) {
      if (take(*read, answer)) {
        --under_way;
      } else {
        ring.push(*read);
      }
    });
  }
}

/// The ring of start(), and the thread that reaps it.
class UringStarter {
 public:
  explicit UringStarter(std::size_t depth) : depth_(depth) {}
  ~UringStarter() { end(); }
  UringStarter(const UringStarter&) = delete;
  UringStarter& operator=(const UringStarter&) = delete;

  /// False: there is no ring or no thread, or it has ended; nothing was started.
  bool start(std::span<AsyncRead> reads, Completion& done) STRATA_EXCLUDES(mutex_) {
    auto batch = std::make_unique<ReadBatch>(reads, done);
    for (AsyncRead& read : reads) {
      read.result = std::size_t{0};
      read.batch = batch.get();
    }
    const MutexLock lock(mutex_);
    if (!open()) return false;
    waiting_.push_back(batch.release());  // the reaper's from here on
    fill();
    ring_->submit();
    return true;
  }

  /// Waits until all has ended and been told, and what that started, too.
  void end() STRATA_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (ring_ == nullptr || ending_) over_ = true;
      if (over_) return;
      ending_ = true;
      ring_->push_wake();
      ring_->submit();
    }
    reaper_.join();
  }

 private:
  /// With the first use.
  bool open() STRATA_REQUIRES(mutex_) {
    if (over_) return false;
    if (ring_ != nullptr) return true;
    // Without the flag of read_all(): the thread that submits may stay out of the kernel for long.
    std::unique_ptr<Ring> ring = Ring::make(depth_, 0);
    if (ring == nullptr) return false;
    Result<base::Thread> thread =
        base::Thread::start("strata-read", [this, reaped = ring.get()] { run(*reaped); });
    if (!thread) return false;
    reaper_ = *std::move(thread);
    ring_ = std::move(ring);
    return true;
  }

  void fill() STRATA_REQUIRES(mutex_) {
    while (!waiting_.empty() && under_way_ < depth_) {
      ReadBatch& batch = *waiting_.front();
      ring_->push(batch.next());
      ++under_way_;
      if (batch.is_begun()) waiting_.pop_front();
    }
  }

  /// The reaper: the only one that looks at ends.
  void run(Ring& ring) STRATA_EXCLUDES(mutex_) {
    std::vector<AsyncRead*> unfinished;
    std::vector<ReadBatch*> finished;
    do {
      ring.wait();
      std::size_t ended = 0;
      ring.reap([&](AsyncRead* read, int answer) {
        if (read == nullptr) return;
        if (!take(*read, answer)) return unfinished.push_back(read);
        ++ended;
        ReadBatch* const batch = read->batch;
        if (batch->end_one()) finished.push_back(batch);
      });
      refill(ended, unfinished);
      unfinished.clear();
      for (ReadBatch* batch : finished) {
        batch->complete();
        delete batch;
      }
      finished.clear();
    } while (!is_over());
  }

  void refill(std::size_t ended, const std::vector<AsyncRead*>& unfinished)
      STRATA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    under_way_ -= ended;
    for (AsyncRead* read : unfinished) ring_->push(*read);
    fill();
    ring_->submit();
  }

  bool is_over() STRATA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    over_ = ending_ && under_way_ == 0;
    return over_;
  }

  const std::size_t depth_;
  base::Thread reaper_;  // set under the mutex, with the first use

  base::Mutex mutex_;
  std::unique_ptr<Ring> ring_ STRATA_GUARDED_BY(mutex_);      // the submitting half of it
  std::deque<ReadBatch*> waiting_ STRATA_GUARDED_BY(mutex_);  // to begin, or to go on beginning
  std::size_t under_way_ STRATA_GUARDED_BY(mutex_) = 0;
  bool ending_ STRATA_GUARDED_BY(mutex_) = false;
  bool over_ STRATA_GUARDED_BY(mutex_) = false;  // nothing is started any more
};

class UringReadQueue final : public ReadQueue {
 public:
  UringReadQueue(std::size_t depth, std::unique_ptr<Ring> first)
      : depth_(depth), starter_(depth), threads_(depth) {
    rings_.push_back(std::move(first));
  }
  /// What is told meanwhile may start further reads: by threads_ once starter_ has ended.
  ~UringReadQueue() override { starter_.end(); }

  void read_all(std::span<AsyncRead> reads) override STRATA_EXCLUDES(mutex_) {
    std::unique_ptr<Ring> ring;
    if (reads.size() > 1 && have_descriptors(reads)) ring = take_ring();
    if (ring == nullptr) return threads_.read_all(reads);
    read_all_over(*ring, reads);
    const MutexLock lock(mutex_);
    rings_.push_back(std::move(ring));
  }

  void start(std::span<AsyncRead> reads, Completion& done) override {
    const bool started = !reads.empty() && have_descriptors(reads) && starter_.start(reads, done);
    if (!started) threads_.start(reads, done);
  }

  std::string_view kind() const noexcept override { return "io_uring"; }

  static std::unique_ptr<Ring> make_ring(std::size_t depth) {
    // The thread that submits is the one that waits: it need not be interrupted for an end.
    return Ring::make(depth, IORING_SETUP_COOP_TASKRUN);
  }

 private:
  static bool have_descriptors(std::span<const AsyncRead> reads) {
    return std::ranges::all_of(reads,
                               [](const AsyncRead& read) { return read.file->descriptor() >= 0; });
  }

  std::unique_ptr<Ring> take_ring() STRATA_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (!rings_.empty()) {
        std::unique_ptr<Ring> ring = std::move(rings_.back());
        rings_.pop_back();
        return ring;
      }
    }
    return make_ring(depth_);
  }

  const std::size_t depth_;
  base::Mutex mutex_;
  // As many as there ever were threads in read_all() at once.
  std::vector<std::unique_ptr<Ring>> rings_ STRATA_GUARDED_BY(mutex_);
  UringStarter starter_;
  ReadThreads threads_;  // for what a ring cannot do; last: what it tells may use all of the above
};

}  // namespace

std::unique_ptr<ReadQueue> make_uring_read_queue(std::size_t depth) {
  if (kThreadSanitizer) return nullptr;
  std::unique_ptr<Ring> ring = UringReadQueue::make_ring(depth);
  if (ring == nullptr) return nullptr;
  return std::make_unique<UringReadQueue>(depth, std::move(ring));
}

}  // namespace strata::io
