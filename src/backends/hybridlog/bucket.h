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
#include <bit>
#include <cstddef>
#include <cstdint>
#include <thread>

// A thread sanitizer does not see what an instruction of ours loads.
#if defined(__SSE2__) && !STRATA_THREAD_SANITIZER
#define STRATA_BUCKET_SSE2
#include <emmintrin.h>
#endif

#include "backends/hybridlog/record_layout.h"
#include "base/sanitizers.h"

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
/// Whether all bits that the entry knows are as wanted. Says nothing of an empty entry.
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

  /// The address in the entry that agrees, or 0; this bucket only. Where the entry stands cannot be
  /// guessed, so nothing branches on it.
  std::uint64_t find(std::uint64_t wanted) const noexcept {
#if defined(STRATA_BUCKET_SSE2)
    // agrees() of all seven at once. The upper halves of eight words, in two times four lanes,
    // begin with the tags; that of `word` comes first and is left out at the end.
    const __m128i first = differ(tags(pair(0), pair(1)), wanted);
    const __m128i last = differ(tags(pair(2), pair(3)), wanted);
    const int all = _mm_movemask_epi8(_mm_packs_epi32(first, last));  // two bits each
    const unsigned agree = ~static_cast<unsigned>(all) & 0xfffc;
    if (agree == 0) return 0;
    // It may have changed since; then the word has, too.
    return entries[std::countr_zero(agree) / 2 - 1].load(std::memory_order_acquire) & kAddressMask;
#else
    std::uint64_t found = 0;
#pragma GCC unroll 7
    for (const std::atomic<std::uint64_t>& each : entries) {
      const std::uint64_t entry = each.load(std::memory_order_acquire);
      found |= bucket_entry::agrees(entry, wanted) ? entry : 0;
    }
    return found & kAddressMask;
#endif
  }

#if defined(STRATA_BUCKET_SSE2)
 private:
  /// Two words; like a load of each with acquire, which a processor of this kind gives anyway: the
  /// compiler must not move it, and must not know that it is one load of two atomics.
  __m128i pair(std::size_t i) const noexcept {
    __m128i words;
    asm volatile("movdqa %1, %0"
                 : "=x"(words)
                 : "m"(reinterpret_cast<const __m128i*>(this)[i])
                 : "memory");
    return words;
  }
  static __m128i tags(__m128i a, __m128i b) noexcept {
    const __m128 upper = _mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0b11'01'11'01);
    return _mm_srli_epi32(_mm_castps_si128(upper), 16);
  }
  static __m128i differ(__m128i known, std::uint64_t wanted) noexcept {
    const __m128i before = _mm_add_epi32(known, _mm_set1_epi32(-1));
    const __m128i want = _mm_set1_epi32(static_cast<int>(wanted));
    return _mm_cmpgt_epi32(_mm_xor_si128(known, want), _mm_xor_si128(known, before));
  }
#endif
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
