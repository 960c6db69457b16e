// Bucket: one cache line of the hash index: a word that locks and dates it, and seven entries.
//
//   word:  locked 1 (lowest bit) | moved 1 | sequence 38 | overflow 24
//   entry: address 48 (low)      | tag 16                                 0: empty
//   tag:   known bits of the hash, those right below the bucket's number | 1 | zeros
//
// A tag knows up to 15 bits; the 1 behind them says how many. Growth doubles the buckets: the first
// known bit then says which half the entry goes to and is taken off, so that no record has to be
// read (it may be on disk); an entry that knows none goes to both halves. Entries made later know
// 15 bits again, so half of all have always met one growth at most.
//
// Always:  no two entries of a chain agree with the same hash; entries are dense: behind an empty
//          one nothing follows, and an overflow bucket is there only if all before it are full.
// Threads: entries change only under the lock of the word (an overflow bucket: its chain's first
//          word). Readers load them with acquire and check the word afterwards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "backends/hybridlog/record_layout.h"

namespace strata::backends::hybridlog {

namespace bucket_word {
inline constexpr std::uint64_t kLocked = 1;
inline constexpr std::uint64_t kMoved = 2;
inline constexpr std::uint64_t kSequenceStep = 4;
inline constexpr unsigned kOverflowShift = 40;
inline constexpr std::uint64_t kOverflowMask = ~std::uint64_t{0} << kOverflowShift;

constexpr std::uint32_t overflow(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word >> kOverflowShift);
}
constexpr std::uint64_t with_overflow(std::uint64_t word, std::uint32_t index) noexcept {
  return (word & ~kOverflowMask) | std::uint64_t{index} << kOverflowShift;
}
/// The sequence goes round without touching what stands above it.
constexpr std::uint64_t stepped(std::uint64_t word) noexcept {
  return (word & kOverflowMask) | ((word + kSequenceStep) & ~kOverflowMask);
}
}  // namespace bucket_word

namespace bucket_entry {
inline constexpr std::uint64_t kTagKnowsNothing = 0x8000;

/// The first 16 bits of the hash below a bucket number of so many bits.
constexpr std::uint64_t wanted(std::uint64_t hash, unsigned bucket_bits) noexcept {
  return hash << bucket_bits >> kAddressBits;
}
constexpr std::uint64_t make(std::uint64_t wanted, LogAddress head) noexcept {
  return (wanted | 1) << kAddressBits | head.value;
}
constexpr std::uint64_t tag(std::uint64_t entry) noexcept { return entry >> kAddressBits; }
/// Whether all bits that the entry knows are as wanted. Of an empty entry: true.
constexpr bool agrees(std::uint64_t entry, std::uint64_t wanted) noexcept {
  const std::uint64_t known = tag(entry);
  return (known ^ wanted) <= (known ^ (known - 1));
}
constexpr bool goes_to_both(std::uint64_t entry) noexcept { return tag(entry) == kTagKnowsNothing; }
/// The half that the entry goes to when its bucket is split, and what it is there.
constexpr unsigned half(std::uint64_t entry) noexcept { return static_cast<unsigned>(entry >> 63); }
constexpr std::uint64_t in_its_half(std::uint64_t entry) noexcept {
  return (entry & kAddressMask) | (entry & ~kAddressMask) << 1;
}
}  // namespace bucket_entry

struct alignas(64) Bucket {
  static constexpr std::size_t kEntries = 7;

  std::atomic<std::uint64_t> word{0};
  std::atomic<std::uint64_t> entries[kEntries] = {};

  /// The address in the entry that agrees, or 0; this bucket only. Without branches: where the
  /// entry stands cannot be guessed.
  std::uint64_t find(std::uint64_t wanted) const noexcept {
    std::uint64_t found = 0;
#pragma GCC unroll 7
    for (const std::atomic<std::uint64_t>& each : entries) {
      const std::uint64_t entry = each.load(std::memory_order_acquire);
      found |= bucket_entry::agrees(entry, wanted) ? entry : 0;
    }
    return found & kAddressMask;
  }
};
static_assert(sizeof(Bucket) == 64);

/// Waits a little, longer the more often it is asked: the holder may have been preempted.
class Spin {
 public:
  void wait() noexcept {
    if (++rounds_ > kPauses) {
      std::this_thread::yield();
      return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

 private:
  static constexpr int kPauses = 64;
  int rounds_ = 0;
};

}  // namespace strata::backends::hybridlog
