// thread_index(): a small number for the calling thread, its own while it lives.
//
// Always:  no two living threads have the same number below kThreadIndexes; numbers are given out
//          lowest first and come back when a thread ends. Threads beyond kThreadIndexes at once
//          share the number kThreadIndexShared, and whoever keeps state by number makes them take
//          turns.
// Threads: any. Cost: one thread-local load once a thread has its number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace strata::base {

inline constexpr std::uint32_t kThreadIndexes = 1024;
inline constexpr std::uint32_t kThreadIndexShared = kThreadIndexes;

namespace internal {
inline constexpr std::uint32_t kNoThreadIndex = ~std::uint32_t{0};
extern constinit thread_local std::uint32_t own_thread_index
    __attribute__((tls_model("initial-exec")));
std::uint32_t claim_thread_index() noexcept;
}  // namespace internal

inline std::uint32_t thread_index() noexcept {
  const std::uint32_t own = internal::own_thread_index;
  return own != internal::kNoThreadIndex ? own : internal::claim_thread_index();
}

/// The same, or kThreadIndexShared where the thread has none of its own yet; calls nothing.
inline std::uint32_t thread_index_if_own() noexcept {
  const std::uint32_t own = internal::own_thread_index;
  return own < kThreadIndexes ? own : kThreadIndexShared;
}

/// One above the highest number below kThreadIndexes that was ever given out.
std::uint32_t thread_index_mark() noexcept;

}  // namespace strata::base
