#include "backends/hybridlog/version_clock.h"

#include <algorithm>
#include <bit>

namespace strata::backends::hybridlog {

VersionClock::VersionClock(std::uint64_t start)
    : clock_(start), cells_(std::make_unique<std::atomic<std::uint64_t>[]>(kPinsMax)) {
  for (std::uint32_t i = 0; i < kPinsMax; ++i) cells_[i].store(kNone);
}

std::optional<std::uint32_t> VersionClock::claim() noexcept {
  for (std::uint32_t word = 0; word < kPinsMax / 64; ++word) {
    std::uint64_t bits = taken_[word].load(std::memory_order_relaxed);
    while (bits != ~std::uint64_t{0}) {
      const auto bit = static_cast<std::uint32_t>(std::countr_one(bits));
      if (taken_[word].compare_exchange_weak(bits, bits | std::uint64_t{1} << bit,
                                             std::memory_order_acq_rel)) {
        return word * 64 + bit;
      }
    }
  }
  return std::nullopt;
}

std::optional<VersionClock::Pin> VersionClock::begin() noexcept {
  const std::optional<std::uint32_t> cell = claim();
  if (!cell) return std::nullopt;
  // The mark rises before the clock does: whoever sees the clock past S looks at this cell.
  std::uint32_t mark = mark_.load();
  while (mark <= *cell && !mark_.compare_exchange_weak(mark, *cell + 1)) {
  }
  std::uint64_t now = clock_.load();
  while (true) {
    cells_[*cell].store(now);
    if (clock_.compare_exchange_strong(now, now + 1)) break;
  }
  pins_.fetch_add(1, std::memory_order_relaxed);
  return Pin{*cell, now};
}

void VersionClock::end(const Pin& pin) noexcept {
  cells_[pin.cell].store(kNone, std::memory_order_release);
  pins_.fetch_sub(1, std::memory_order_relaxed);
  taken_[pin.cell / 64].fetch_and(~(std::uint64_t{1} << pin.cell % 64), std::memory_order_acq_rel);
}

std::uint64_t VersionClock::scan_newest_below(std::uint64_t version,
                                              std::uint32_t mark) const noexcept {
  std::uint64_t newest = 0;
  for (std::uint32_t i = 0; i < mark; ++i) {
    const std::uint64_t pin = cells_[i].load();
    if (pin < version) newest = std::max(newest, pin);
  }
  return newest;
}

std::uint64_t VersionClock::oldest() const noexcept {
  // In this order: a pin that the cells do not show yet is not below what the clock was before.
  std::uint64_t oldest = clock_.load();
  const std::uint32_t mark = mark_.load();
  for (std::uint32_t i = 0; i < mark; ++i) oldest = std::min(oldest, cells_[i].load());
  return oldest;
}

bool VersionClock::pinned_between(std::uint64_t from, std::uint64_t to) const noexcept {
  const std::uint32_t mark = mark_.load();
  for (std::uint32_t i = 0; i < mark; ++i) {
    const std::uint64_t pin = cells_[i].load();
    if (pin != kNone && from <= pin && pin < to) return true;
  }
  return false;
}

}  // namespace strata::backends::hybridlog
