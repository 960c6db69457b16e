#include "figures/disk_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "base/coding.h"
#include "base/random.h"
#include "figures/race.h"
#include "must.h"

namespace strata::bench {

namespace {

constexpr std::size_t kBlockBytes = DiskLimit::kBlockBytes;

struct FreeAligned {
  void operator()(char* bytes) const { std::free(bytes); }
};
using Buffer = std::unique_ptr<char[], FreeAligned>;

Buffer aligned_buffer(std::size_t bytes) {
  return Buffer(static_cast<char*>(std::aligned_alloc(kBlockBytes, bytes)));
}

void check_block(const char* bytes, std::uint64_t block, std::int64_t outcome) {
  if (outcome != static_cast<std::int64_t>(kBlockBytes) || base::load_u64_le(bytes) != block) {
    give_up("the disk gave another block than was asked for");
  }
}

/// One io_uring of reads, by the system's own interface (io_uring_setup(2)).
class Ring {
 public:
  /// Nothing: the system does not allow it.
  static std::unique_ptr<Ring> make(unsigned entries) {
    io_uring_params params{};
    const long descriptor = ::syscall(__NR_io_uring_setup, entries, &params);
    if (descriptor < 0 || (params.features & IORING_FEAT_SINGLE_MMAP) == 0) return nullptr;
    return std::unique_ptr<Ring>(new Ring(static_cast<int>(descriptor), params));
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    ::munmap(entries_, entries_bytes_);
    ::munmap(rings_, rings_bytes_);
    ::close(descriptor_);
  }

  void prepare_read(int file, char* to, std::uint64_t offset, std::uint64_t tag) {
    const unsigned tail = *submit_tail_;  // only this thread moves it
    io_uring_sqe& entry = entries_[tail & submit_mask_];
    entry = {};
    entry.opcode = IORING_OP_READ;
    entry.fd = file;
    entry.addr = reinterpret_cast<std::uint64_t>(to);
    entry.len = kBlockBytes;
    entry.off = offset;
    entry.user_data = tag;
    submit_array_[tail & submit_mask_] = tail & submit_mask_;
    // release: the kernel, which acquires the tail, must see the entry.
    std::atomic_ref(*submit_tail_).store(tail + 1, std::memory_order_release);
    ++prepared_;
  }
  /// Submits what was prepared, and waits until at least one read has ended.
  void submit_and_wait() {
    const long taken = ::syscall(__NR_io_uring_enter, descriptor_, prepared_, 1u,
                                 IORING_ENTER_GETEVENTS, nullptr, 0);
    if (taken < 0) {
      if (errno == EINTR) return;
      give_up("io_uring_enter failed");
    }
    prepared_ -= static_cast<unsigned>(taken);
  }
  /// Calls `ended(tag, outcome)` for each read that has.
  template <class Ended>
  void reap(Ended ended) {
    unsigned head = *complete_head_;  // only this thread moves it
    // acquire: with the kernel's release of the tail, so that the entries are seen.
    const unsigned tail = std::atomic_ref(*complete_tail_).load(std::memory_order_acquire);
    for (; head != tail; ++head) {
      const io_uring_cqe& entry = completions_[head & complete_mask_];
      ended(entry.user_data, entry.res);
    }
    // release: the kernel may write over the entries from now on.
    std::atomic_ref(*complete_head_).store(head, std::memory_order_release);
  }

 private:
  Ring(int descriptor, const io_uring_params& params)
      : descriptor_(descriptor),
        rings_bytes_(
            std::max<std::size_t>(params.sq_off.array + params.sq_entries * sizeof(unsigned),
                                  params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe))),
        entries_bytes_(params.sq_entries * sizeof(io_uring_sqe)) {
    rings_ = map(rings_bytes_, IORING_OFF_SQ_RING);
    entries_ = static_cast<io_uring_sqe*>(map(entries_bytes_, IORING_OFF_SQES));
    submit_tail_ = word(params.sq_off.tail);
    submit_mask_ = *word(params.sq_off.ring_mask);
    submit_array_ = word(params.sq_off.array);
    complete_head_ = word(params.cq_off.head);
    complete_tail_ = word(params.cq_off.tail);
    complete_mask_ = *word(params.cq_off.ring_mask);
    completions_ = reinterpret_cast<io_uring_cqe*>(static_cast<char*>(rings_) + params.cq_off.cqes);
  }
  void* map(std::size_t bytes, std::uint64_t what) const {
    void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                            descriptor_, static_cast<off_t>(what));
    if (at == MAP_FAILED) give_up("cannot map the ring of an io_uring");
    return at;
  }
  unsigned* word(std::size_t offset) const {
    return reinterpret_cast<unsigned*>(static_cast<char*>(rings_) + offset);
  }

  int descriptor_;
  std::size_t rings_bytes_;
  std::size_t entries_bytes_;
  void* rings_;
  io_uring_sqe* entries_;
  unsigned* submit_tail_;
  unsigned submit_mask_;
  unsigned* submit_array_;
  unsigned* complete_head_;
  unsigned* complete_tail_;
  unsigned complete_mask_;
  io_uring_cqe* completions_;
  unsigned prepared_ = 0;
};

/// Keeps kDepth reads in flight from the calling thread until `stop`, then lets them end.
std::uint64_t read_by_ring(Ring& ring, int file, std::uint64_t blocks,
                           const std::atomic<bool>& stop) {
  const Buffer buffers = aligned_buffer(DiskLimit::kDepth * kBlockBytes);
  std::array<std::uint64_t, DiskLimit::kDepth> asked{};
  base::Random random(3);
  std::size_t in_flight = 0;
  const auto ask = [&](std::uint64_t slot) {
    asked[slot] = random.uniform(blocks);
    ring.prepare_read(file, buffers.get() + slot * kBlockBytes, asked[slot] * kBlockBytes, slot);
    ++in_flight;
  };
  for (std::uint64_t slot = 0; slot < DiskLimit::kDepth; ++slot) ask(slot);
  std::uint64_t done = 0;
  while (in_flight != 0) {
    ring.submit_and_wait();
    ring.reap([&](std::uint64_t slot, std::int64_t outcome) {
      check_block(buffers.get() + slot * kBlockBytes, asked[slot], outcome);
      ++done;
      --in_flight;
      // relaxed: joining the thread orders the rest.
      if (!stop.load(std::memory_order_relaxed)) ask(slot);
    });
  }
  return done;
}

std::uint64_t read_one_by_one(int file, std::uint64_t blocks, std::uint64_t seed,
                              const std::atomic<bool>& stop) {
  const Buffer buffer = aligned_buffer(kBlockBytes);
  base::Random random(seed);
  std::uint64_t done = 0;
  for (; !stop.load(std::memory_order_relaxed); ++done) {
    const std::uint64_t block = random.uniform(blocks);
    const ssize_t got =
        ::pread(file, buffer.get(), kBlockBytes, static_cast<off_t>(block * kBlockBytes));
    check_block(buffer.get(), block, got);
  }
  return done;
}

}  // namespace

DiskLimit::DiskLimit(const std::string& folder, std::uint64_t bytes)
    : path_(folder + "/disk-limit"), blocks_(std::max<std::uint64_t>(bytes / kBlockBytes, 256)) {
  constexpr std::uint64_t kBlocksPerWrite = 256;
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_DIRECT, 0600);
  if (descriptor_ < 0) give_up("cannot make a file for direct reads in " + folder);
  blocks_ = blocks_ / kBlocksPerWrite * kBlocksPerWrite;
  const Buffer buffer = aligned_buffer(kBlocksPerWrite * kBlockBytes);
  const std::span<char> all(buffer.get(), kBlocksPerWrite * kBlockBytes);
  base::Random(5).fill(all);
  for (std::uint64_t first = 0; first < blocks_; first += kBlocksPerWrite) {
    for (std::uint64_t i = 0; i < kBlocksPerWrite; ++i) {
      base::store_u64_le(all.data() + i * kBlockBytes, first + i);
    }
    const ssize_t put =
        ::pwrite(descriptor_, all.data(), all.size(), static_cast<off_t>(first * kBlockBytes));
    if (put != static_cast<ssize_t>(all.size())) give_up("cannot write to " + path_);
  }
  if (::fsync(descriptor_) != 0) give_up("cannot sync " + path_);
}

DiskLimit::~DiskLimit() {
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

double DiskLimit::reads_per_second(std::int64_t run_ms) {
  const std::unique_ptr<Ring> ring = Ring::make(kDepth);
  by_ring_ = ring != nullptr;
  const unsigned threads = by_ring_ ? 1 : kDepth;
  const Raced raced =
      race(nullptr, threads, run_ms, [&](unsigned t, const std::atomic<bool>& stop) {
        return by_ring_ ? read_by_ring(*ring, descriptor_, blocks_, stop)
                        : read_one_by_one(descriptor_, blocks_, t + 1, stop);
      });
  return raced.per_second;
}

}  // namespace strata::bench
