#include "backends/hybridlog/overflow_slab.h"

#include <memory>
#include <utility>

namespace strata::backends::hybridlog {
namespace {

// top_: turns count the changes, so that a list which went away and came back is not taken for the
// one that was looked at.
constexpr unsigned kTurnsShift = 24;
constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << kTurnsShift) - 1;

constexpr std::uint64_t next_top(std::uint64_t top, std::uint32_t number) noexcept {
  return ((top >> kTurnsShift) + 1) << kTurnsShift | number;
}

}  // namespace

OverflowSlab::OverflowSlab(MemoryBudget& budget)
    : budget_(budget),
      directory_(MappedMemory::map(budget, kChunks * sizeof(std::atomic<Bucket*>))),
      chunks_(static_cast<std::atomic<Bucket*>*>(directory_.data())) {
  if (chunks_ != nullptr) std::uninitialized_value_construct_n(chunks_, kChunks);
}

std::uint32_t OverflowSlab::pop() noexcept {
  std::uint64_t top = top_.load(std::memory_order_acquire);
  while (true) {
    const auto number = static_cast<std::uint32_t>(top & kNumberMask);
    if (number == 0) return 0;
    // Perhaps taken by another thread just now: what is read then is not used.
    const std::uint64_t word = (*this)[number].word.load(std::memory_order_relaxed);
    if (top_.compare_exchange_weak(top, next_top(top, bucket_word::overflow(word)),
                                   std::memory_order_acq_rel, std::memory_order_acquire)) {
      return number;
    }
  }
}

void OverflowSlab::push(std::uint32_t first, std::uint32_t last) noexcept {
  Bucket& end = (*this)[last];
  std::uint64_t top = top_.load(std::memory_order_relaxed);
  do {
    const auto below = static_cast<std::uint32_t>(top & kNumberMask);
    end.word.store(bucket_word::with_overflow(0, below), std::memory_order_relaxed);
  } while (!top_.compare_exchange_weak(top, next_top(top, first), std::memory_order_acq_rel,
                                       std::memory_order_relaxed));
}

std::uint32_t OverflowSlab::take() noexcept {
  for (Spin spin;; spin.wait()) {
    const std::uint32_t number = pop();
    if (number != 0) {
      used_.fetch_add(1, std::memory_order_relaxed);
      (*this)[number].word.store(0, std::memory_order_relaxed);
      return number;
    }
    if (!add_chunk()) return 0;
  }
}

void OverflowSlab::give(std::uint32_t number) noexcept {
  STRATA_DCHECK((*this)[number].entries[0].load(std::memory_order_relaxed) == 0);
  push(number, number);
  used_.fetch_sub(1, std::memory_order_relaxed);
}

bool OverflowSlab::add_chunk() noexcept {
  if (adding_.exchange(true, std::memory_order_acquire)) return true;
  const bool there = free() >= kReserve || add_chunk_alone();
  adding_.store(false, std::memory_order_release);
  return there;
}

bool OverflowSlab::add_chunk_alone() noexcept {
  const auto chunk = static_cast<std::uint32_t>(memory_.size());
  if (chunks_ == nullptr || chunk == kChunks) return false;
  MappedMemory memory = MappedMemory::map(budget_, kChunkBuckets * sizeof(Bucket));
  if (!memory) return false;
  auto* const buckets = static_cast<Bucket*>(memory.data());
  std::uninitialized_default_construct_n(buckets, kChunkBuckets);  // touches all pages, too
  memory_.push_back(std::move(memory));

  const std::uint32_t begin = chunk * kChunkBuckets;
  const std::uint32_t first = begin == 0 ? 1 : begin;  // number 0 is none
  const std::uint32_t last = begin + kChunkBuckets - 1;
  for (std::uint32_t number = first; number < last; ++number) {
    buckets[number - begin].word.store(bucket_word::with_overflow(0, number + 1),
                                       std::memory_order_relaxed);
  }
  chunks_[chunk].store(buckets, std::memory_order_release);
  total_.fetch_add(kChunkBuckets, std::memory_order_relaxed);
  push(first, last);
  return true;
}

}  // namespace strata::backends::hybridlog
