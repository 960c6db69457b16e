// Seeding and the less frequent draws.
#include "base/random.h"

#include <cstring>

#include "base/check.h"

namespace strata::base {

Random::Random(std::uint64_t seed) noexcept {
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;
  for (std::uint64_t& word : state_) {
    word = mix64(seed);
    seed += kStep;
  }
}

std::uint64_t Random::uniform(std::uint64_t n) noexcept {
  STRATA_DCHECK(n > 0);
  // The upper half of the product: no division, and a bias below n / 2^64.
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64);
}

std::uint64_t Random::between(std::uint64_t first, std::uint64_t last) noexcept {
  STRATA_DCHECK(first <= last);
  const std::uint64_t span = last - first + 1;  // 0 when it is all of them
  return span == 0 ? next() : first + uniform(span);
}

Bytes Random::bytes(std::size_t n) {
  Bytes result(n, '\0');
  fill(result);
  return result;
}

void Random::fill(std::span<char> to) noexcept {
  while (!to.empty()) {
    std::uint64_t word = next();
    // The order of the bytes is fixed, so that a seed means the same everywhere.
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    const std::size_t n = to.size() < sizeof(word) ? to.size() : sizeof(word);
    std::memcpy(to.data(), &word, n);
    to = to.subspan(n);
  }
}

}  // namespace strata::base
