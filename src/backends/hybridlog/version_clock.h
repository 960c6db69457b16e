// VersionClock: the counter that orders versions, and the pins of the snapshots that are open.
//
// A snapshot S is one raise of the clock: it waits for nobody and is, for good, the writes with a
// version <= S. A writer loads the clock under its bucket's lock; a pin is visible before the clock
// passes it, so that a writer with v > S sees the pin of S and keeps what S needs. Model-checked
// (docs/models/README.md), with the clock also raised by writers as raise() does.
//
// Always:  now() never falls; a live pin's version is below now().
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace strata::backends::hybridlog {

class VersionClock {
 public:
  static constexpr std::uint32_t kPinsMax = 4096;

  explicit VersionClock(std::uint64_t start);

  std::uint64_t now() const noexcept { return clock_.load(); }
  /// For a writer whose record has the present version already: the next one. Under its lock.
  std::uint64_t raise() noexcept { return clock_.fetch_add(1) + 1; }

  struct Pin {
    std::uint32_t cell;
    std::uint64_t version;
  };
  /// Nothing: kPinsMax snapshots are open.
  std::optional<Pin> begin() noexcept;
  void end(const Pin& pin) noexcept;

  /// The newest pin below `version`, or 0. What it says may be careful (a pin that has just gone),
  /// never careless.
  [[gnu::always_inline]] std::uint64_t newest_pin_below(std::uint64_t version) const noexcept {
    const std::uint32_t mark = mark_.load();
    return mark == 0 ? 0 : scan_newest_below(version, mark);
  }
  /// No pin that is open, or will be, is below this.
  std::uint64_t oldest() const noexcept;
  /// Whether an open pin S has from <= S < to.
  bool pinned_between(std::uint64_t from, std::uint64_t to) const noexcept;
  std::uint32_t pins() const noexcept { return pins_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t scan_newest_below(std::uint64_t version, std::uint32_t mark) const noexcept;
  std::optional<std::uint32_t> claim() noexcept;

  alignas(64) std::atomic<std::uint64_t> clock_;          // seq_cst, as the models have it
  alignas(64) std::atomic<std::uint32_t> mark_{0};        // one above the highest cell ever used
  std::atomic<std::uint32_t> pins_{0};                    // relaxed: a figure
  std::atomic<std::uint64_t> taken_[kPinsMax / 64] = {};  // acq_rel: who owns a cell
  const std::unique_ptr<std::atomic<std::uint64_t>[]> cells_;
};

}  // namespace strata::backends::hybridlog
