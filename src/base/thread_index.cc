#include "base/thread_index.h"

#include <atomic>
#include <bit>

namespace strata::base {
namespace internal {

constinit thread_local std::uint32_t own_thread_index = kNoThreadIndex;

namespace {

constexpr std::size_t kWords = kThreadIndexes / 64;
// A set bit: taken. acq_rel on both sides: who gets a number sees what its last owner did.
constinit std::atomic<std::uint64_t> taken[kWords] = {};
constinit std::atomic<std::uint32_t> mark{0};  // seq_cst: raised before the number is used

std::uint32_t claim() noexcept {
  for (std::size_t word = 0; word < kWords; ++word) {
    std::uint64_t bits = taken[word].load(std::memory_order_relaxed);
    while (bits != ~std::uint64_t{0}) {
      const auto bit = static_cast<unsigned>(std::countr_one(bits));
      if (!taken[word].compare_exchange_weak(bits, bits | std::uint64_t{1} << bit,
                                             std::memory_order_acq_rel)) {
        continue;
      }
      const auto index = static_cast<std::uint32_t>(word * 64 + bit);
      std::uint32_t seen = mark.load();
      while (seen <= index && !mark.compare_exchange_weak(seen, index + 1)) {
      }
      return index;
    }
  }
  return kThreadIndexShared;
}

/// Gives the number back at the end of the thread.
struct Owner {
  std::uint32_t index;
  ~Owner() {
    // What runs on this thread later than this shares the last number.
    own_thread_index = kThreadIndexShared;
    if (index == kThreadIndexShared) return;
    taken[index / 64].fetch_and(~(std::uint64_t{1} << index % 64), std::memory_order_acq_rel);
  }
};

}  // namespace

std::uint32_t claim_thread_index() noexcept {
  thread_local const Owner owner{claim()};
  own_thread_index = owner.index;
  return owner.index;
}

}  // namespace internal

std::uint32_t thread_index_mark() noexcept { return internal::mark.load(); }

}  // namespace strata::base
