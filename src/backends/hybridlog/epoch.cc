#include "backends/hybridlog/epoch.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace strata::backends::hybridlog {

Epoch::Epoch() : slots_(std::make_unique<Slot[]>(base::kThreadIndexes + 1)) {}

Epoch::~Epoch() {
  for (std::uint32_t i = 0; i <= base::kThreadIndexes; ++i) {
    STRATA_DCHECK(slots_[i].epoch.load() == 0);
  }
  for (Garbage& each : garbage_) each.free();
}

void Epoch::Turns::lock() noexcept {
  while (taken.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
}

std::uint64_t Epoch::oldest() const noexcept {
  // The present epoch first: without it, what is retired after the slots were read would be freed
  // under a reader that entered after they were read.
  const std::uint64_t now = epoch_.load();
  if (asymmetric_) base::heavy_fence();
  return oldest_seen(now);
}

std::uint64_t Epoch::oldest_seen(std::uint64_t now) const noexcept {
  std::uint64_t oldest = now;
  const std::uint32_t mark = base::thread_index_mark();
  for (std::uint32_t i = 0; i <= mark; ++i) {
    const std::uint32_t index = i < mark ? i : base::kThreadIndexShared;
    const std::uint64_t inside = slots_[index].epoch.load();
    if (inside != 0) oldest = std::min(oldest, inside);
  }
  return oldest;
}

void Epoch::wait(std::uint64_t turn) const {
  if (asymmetric_) base::heavy_fence();
  // Who enters from now on sees a later epoch than the turn's.
  for (int round = 0; turn >= oldest_seen(epoch_.load()); ++round) {
    if (round < 64) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
}

void Epoch::retire(std::move_only_function<void()> free) {
  const base::MutexLock lock(mutex_);
  garbage_.push_back({turn(), std::move(free)});
}

void Epoch::drain() {
  wait(turn());
  reclaim();
}

std::size_t Epoch::reclaim() {
  std::vector<Garbage> free;
  {
    const base::MutexLock lock(mutex_);
    if (garbage_.empty()) return 0;
    const std::uint64_t oldest = this->oldest();
    while (!garbage_.empty() && garbage_.front().turn < oldest) {
      free.push_back(std::move(garbage_.front()));
      garbage_.pop_front();
    }
  }
  for (Garbage& each : free) each.free();
  return free.size();
}

}  // namespace strata::backends::hybridlog
