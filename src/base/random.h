// Random: a fast generator whose whole course follows from its seed (xoshiro256**).
//
// Always:  the same seed gives the same numbers on every machine and in every build.
// Threads: one at a time; give each thread its own, from split().
// Not for secrets: whoever sees some numbers can compute the rest.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "strata/bytes.h"

namespace strata::base {

/// One step of splitmix64: spreads a counter or a poor seed over all 64 bits.
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class Random {
 public:
  using result_type = std::uint64_t;  // a UniformRandomBitGenerator, for std::shuffle

  explicit Random(std::uint64_t seed) noexcept;

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }
  result_type operator()() noexcept { return next(); }

  /// Any 64-bit number.
  std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// A number in [0, n), each as likely as the others to within n / 2^64. `n` must not be 0.
  std::uint64_t uniform(std::uint64_t n) noexcept;
  /// A number in [first, last], both included; first <= last.
  std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept;
  /// True once in `n` times on average. `n` must not be 0.
  bool one_in(std::uint64_t n) noexcept { return uniform(n) == 0; }
  /// A number in [0, 1).
  double real() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// `n` bytes of any value.
  Bytes bytes(std::size_t n);
  void fill(std::span<char> to) noexcept;

  /// A generator of its own whose course is independent of what this one gives later.
  Random split() noexcept { return Random(next()); }

 private:
  std::uint64_t state_[4];
};

}  // namespace strata::base
