// The tail and its frames. What goes to disk and back is in log_flush.cc.
#include "backends/hybridlog/log.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <thread>

#include "base/check.h"

namespace strata::backends::hybridlog {

namespace {

constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

/// A head word that says how many bytes to skip.
std::uint64_t filler_word(std::uint64_t bytes) { return bytes | std::uint64_t{kFiller} << 58; }

}  // namespace

Log::Log(io::FileSystem& files, Epoch& epoch, MemoryBudget& budget, const LogOptions& options)
    : files_(files),
      epoch_(epoch),
      budget_(budget),
      options_(options),
      frame_bits_(options.frame_bits),
      frame_bytes_(std::uint64_t{1} << options.frame_bits) {
  STRATA_CHECK(options.segment_bits >= options.frame_bits);
  const std::uint64_t in_memory = budget.limit() / frame_bytes_ + 2;
  // Behind each seal lies a hole; how many may lie in memory, see make_place().
  const std::uint64_t holes = std::uint64_t{24} << (options.segment_bits - options.frame_bits);
  const std::uint64_t ring = std::bit_ceil(in_memory + holes);
  ring_mask_ = ring - 1;
  frames_ = std::make_unique<std::atomic<char*>[]>(ring);
  for (std::uint64_t i = 0; i < ring; ++i) frames_[i].store(nullptr);
}

Log::~Log() {
  for (std::uint64_t i = 0; i <= ring_mask_; ++i) {
    if (char* const frame = frames_[i].load()) free_frame(frame);
  }
  while (char* const frame = pop_ready()) free_frame(frame);
}

Result<> Log::start(LogStart start) {
  const std::uint64_t first = start.next_segment << options_.segment_bits;
  begin_ = start.begin == 0 ? first : start.begin;
  head_ = first;
  evicted_ = first >> frame_bits_;
  read_only_ = first;
  flushed_ = first;
  {
    const base::MutexLock lock(mutex_);
    for (auto& segment : start.segments) {
      early_ends_[segment->number()] = segment->first() + segment->data_bytes();
      holes_.fetch_add(segment_bytes() - segment->data_bytes(), std::memory_order_relaxed);
      segments_[segment->number()] = std::move(segment);
    }
  }
  for (int i = 0; i < 2; ++i) {
    if (!budget_.try_take(frame_bytes_)) {
      return Error(Code::quota, "hybridlog: the memory budget has no room for a log frame");
    }
    char* const frame = new_frame();
    if (i == 0) {
      open_frame(first >> frame_bits_, frame);
    } else {
      push_ready(frame);
    }
  }
  tail_ = first >> frame_bits_ << 32;
  return {};
}

char* Log::new_frame() {
  const std::uint64_t slack = frame_bytes_ >= kHugePage ? frame_bytes_ : 0;
  void* const mapped = ::mmap(nullptr, frame_bytes_ + slack, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  STRATA_CHECK(mapped != MAP_FAILED);
  char* frame = static_cast<char*>(mapped);
  if (slack != 0) {
    // Aligned to its own size, so that huge pages fit.
    const auto at = reinterpret_cast<std::uintptr_t>(frame);
    const std::uintptr_t aligned = (at + frame_bytes_ - 1) & ~(frame_bytes_ - 1);
    if (aligned != at) ::munmap(frame, aligned - at);
    const std::uintptr_t behind = at + slack - aligned;
    if (behind != 0) ::munmap(reinterpret_cast<char*>(aligned) + frame_bytes_, behind);
    frame = reinterpret_cast<char*>(aligned);
    ::madvise(frame, frame_bytes_, MADV_HUGEPAGE);
  }
  // Touched now, so that nobody takes a page fault under a bucket's lock.
  for (std::uint64_t i = 0; i < frame_bytes_; i += 4096) frame[i] = 0;
  frames_held_.fetch_add(1, std::memory_order_relaxed);
  return frame;
}

void Log::free_frame(char* frame) {
  ::munmap(frame, frame_bytes_);
  budget_.give(frame_bytes_);
  frames_held_.fetch_sub(1, std::memory_order_relaxed);
}

void Log::push_ready(char* frame) noexcept {
  ready_.fetch_add(1, std::memory_order_relaxed);
  char* top = ready_top_.load(std::memory_order_relaxed);
  do {
    std::memcpy(frame, &top, sizeof(top));
  } while (!ready_top_.compare_exchange_weak(top, frame, std::memory_order_release,
                                             std::memory_order_relaxed));
}

char* Log::pop_ready() noexcept {
  char* top = ready_top_.load(std::memory_order_acquire);
  char* next = nullptr;
  do {
    if (top == nullptr) return nullptr;
    std::memcpy(&next, top, sizeof(next));
  } while (!ready_top_.compare_exchange_weak(top, next, std::memory_order_acquire));
  ready_.fetch_sub(1, std::memory_order_relaxed);
  return top;
}

char* Log::take_ready() noexcept {
  while (opening_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  char* const frame = pop_ready();
  opening_.store(false, std::memory_order_release);
  return frame;
}

void Log::tell_waiting() {
  const base::MutexLock lock(mutex_);
  room_.notify_all();
}

void Log::tell_need() {
  need_.store(needs_.empty() ? 0 : *needs_.rbegin(), std::memory_order_relaxed);
}

void Log::open_frame(std::uint64_t frame, char* memory) noexcept {
  frames_[frame & ring_mask_].store(memory, std::memory_order_release);
}

void Log::fill_rest(std::uint64_t frame, std::uint64_t offset) noexcept {
  if (offset >= frame_bytes_) return;
  store_word(at({(frame << frame_bits_) + offset}), filler_word(frame_bytes_ - offset));
}

bool Log::turn_tail(std::uint64_t full_frame) noexcept {
  while (opening_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  const std::uint64_t word = tail_.load();
  bool opened = word >> 32 != full_frame;
  const std::uint64_t next = full_frame + 1;
  if (!opened && fits(next)) {
    if (char* const memory = pop_ready()) {
      open_frame(next, memory);
      tail_.store(next << 32);
      opened = true;
    }
  }
  opening_.store(false, std::memory_order_release);
  return opened;
}

bool Log::open_next(std::uint64_t full) noexcept {
  fill_rest(full >> 32, full & 0xffffffff);
  const bool opened = turn_tail(full >> 32);
  if (kick_) kick_();
  return opened;
}

// The tail's frame is full, and whoever filled it opens the next or found no memory for it: then
// the next who comes tries.
bool Log::wait_for_opening() noexcept {
  for (int spins = 0; spins < 64; ++spins) {
    if ((tail_.load() & 0xffffffff) <= frame_bytes_) return true;
    if (spins > 16) std::this_thread::yield();
  }
  const std::uint64_t word = tail_.load();
  return (word & 0xffffffff) <= frame_bytes_ || turn_tail(word >> 32);
}

Result<> Log::wait_for_room(std::uint64_t frames) {
  const base::MutexLock lock(mutex_);
  const auto need = needs_.insert(frames);
  tell_need();
  const auto served = [&] {
    return ready_.load(std::memory_order_relaxed) >= frames && fits((tail_.load() >> 32) + frames);
  };
  const std::uint64_t seen = attempts_;
  // The attempt that runs now may have begun before this one's need: the one behind it counts.
  while (!served() && attempts_ < seen + 2) {
    if (kick_) kick_();
    room_.wait_for_ms(mutex_, 100);
  }
  needs_.erase(need);
  tell_need();
  if (!served() && !trouble_) return trouble_.error();
  return {};
}

void Log::wait_for_upkeep() {
  if (kick_) kick_();
  const base::MutexLock lock(mutex_);
  const std::uint64_t seen = attempts_;
  for (int waits = 0; attempts_ < seen + 2 && waits < 20; ++waits) {
    if (kick_) kick_();
    room_.wait_for_ms(mutex_, 50);
  }
}

Result<std::uint64_t> Log::seal() {
  const std::uint64_t per_segment = std::uint64_t{1} << (options_.segment_bits - frame_bits_);
  while (true) {
    if (ready_.load(std::memory_order_relaxed) == 0) STRATA_TRY(keep_room());
    while (opening_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    const std::uint64_t frame = tail_.load() >> 32;
    const std::uint64_t next = (frame / per_segment + 1) * per_segment;
    if (tail_.load() == frame << 32 && frame % per_segment == 0) {
      opening_.store(false, std::memory_order_release);
      return frame << frame_bits_;  // nothing was written since the last one
    }
    const bool place = fits(next);
    char* const memory = place ? pop_ready() : nullptr;
    if (memory == nullptr) {
      opening_.store(false, std::memory_order_release);
      if (!place) STRATA_TRY(make_place(next));
      continue;
    }
    const std::uint64_t old = tail_.exchange(frame << 32 | kClosed);
    const std::uint64_t offset = std::min(old & 0xffffffff, frame_bytes_);
    if ((old & 0xffffffff) <= frame_bytes_) fill_rest(frame, offset);
    const std::uint64_t end = (frame << frame_bits_) + offset;
    open_frame(next, memory);
    {
      const base::MutexLock lock(mutex_);
      early_ends_[frame / per_segment] = end;
      holes_.fetch_add((next << frame_bits_) - end, std::memory_order_relaxed);
    }
    read_only_.store(next << frame_bits_);
    tail_.store(next << 32);
    opening_.store(false, std::memory_order_release);
    epoch_.wait(epoch_.turn());
    return end;
  }
}

std::uint64_t Log::end_of_segment(std::uint64_t number) const {
  const base::MutexLock lock(mutex_);
  if (const auto early = early_ends_.find(number); early != early_ends_.end()) {
    return early->second;
  }
  return std::min((number + 1) << options_.segment_bits, tail());
}

std::shared_ptr<Segment> Log::segment_at(LogAddress address) const {
  if (address.value < begin()) return nullptr;
  const base::MutexLock lock(mutex_);
  const auto found = segments_.find(address.value >> options_.segment_bits);
  return found == segments_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Segment>> Log::segments() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Segment>> all;
  for (const auto& [number, segment] : segments_) all.push_back(segment);
  return all;
}

std::uint64_t Log::bytes_on_disk() const {
  const base::MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [number, segment] : segments_) bytes += segment->bytes_on_disk();
  return bytes;
}

}  // namespace strata::backends::hybridlog
