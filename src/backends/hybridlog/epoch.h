// Epoch: who may still be looking at memory that was taken out of use.
//
//   {
//     const Epoch::Guard guard(epoch);     // inside: what was reachable stays where it is
//     ...                                  // no I/O, no sleeping lock, no user code, no second
//     Guard
//   }
//   const auto turn = epoch.turn();        // outside: everybody who was inside then ...
//   while (!epoch.passed(turn)) ...        // ... has left now
//
// The order of enter() against reclaim() was model-checked (docs/models/README.md). What keeps a
// reader from being missed is a fence between its store of the slot and what it loads behind: where
// the system has one that only whoever reclaims pays for, entering is one plain store, which helps
// reads of several calls to overlap in the processor (docs/adr/0009-short-ways.md).
//
// Threads: any. Beyond base::kThreadIndexes threads at once, the rest take turns inside.
// Owns:    what was retired, until nobody can see it; at its own end, all of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "base/asymmetric_fence.h"
#include "base/mutex.h"
#include "base/thread_index.h"

namespace strata::backends::hybridlog {

class Epoch {
 public:
  Epoch();
  ~Epoch();
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  class Guard {
   public:
    explicit Guard(Epoch& epoch) noexcept : epoch_(epoch), index_(epoch.enter()) {}
    ~Guard() { epoch_.exit(index_); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    /// Leaves and enters again, so that a long walk holds nothing back. What was seen before may
    /// be gone.
    void refresh() noexcept {
      epoch_.exit(index_);
      index_ = epoch_.enter();
    }

   private:
    Epoch& epoch_;
    std::uint32_t index_;
  };

  /// A Guard for a thread that need not be given a number for it, nor wait for its turn; it calls
  /// nothing. Else it is not inside().
  class QuickGuard {
   public:
    explicit QuickGuard(Epoch& epoch) noexcept {
      const std::uint32_t index = base::thread_index_if_own();
      if (index == base::kThreadIndexShared) [[unlikely]]
        return;
      slot_ = &epoch.slots_[index].epoch;
      epoch.enter_at(*slot_);
    }
    ~QuickGuard() {
      if (slot_ != nullptr) slot_->store(0, std::memory_order_release);
    }
    QuickGuard(const QuickGuard&) = delete;
    QuickGuard& operator=(const QuickGuard&) = delete;
    bool inside() const noexcept { return slot_ != nullptr; }

   private:
    std::atomic<std::uint64_t>* slot_ = nullptr;
  };

  /// Begins a turn; it has passed once all that were inside at this moment have left.
  std::uint64_t turn() noexcept { return epoch_.fetch_add(1); }
  bool passed(std::uint64_t turn) const noexcept { return turn < oldest(); }
  /// Waits for it. Never inside; never on a path that somebody waits for.
  void wait(std::uint64_t turn) const;

  /// Calls `free` once nobody who is inside now is; unlink first. May be called inside.
  void retire(std::move_only_function<void()> free) STRATA_EXCLUDES(mutex_);
  /// Frees what may go; says how many. Not inside.
  std::size_t reclaim() STRATA_EXCLUDES(mutex_);
  /// Waits until all that is retired now is free. Not inside.
  void drain() STRATA_EXCLUDES(mutex_);

 private:
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> epoch{0};  // 0: outside. As the model has it: see enter(), oldest()
  };
  struct Garbage {
    std::uint64_t turn;
    std::move_only_function<void()> free;
  };

  std::uint32_t enter() noexcept {
    const std::uint32_t index = base::thread_index();
    if (index == base::kThreadIndexShared) [[unlikely]] {
      shared_turns_.lock();
    }
    enter_at(slots_[index].epoch);
    return index;
  }
  [[gnu::always_inline]] void enter_at(std::atomic<std::uint64_t>& slot) noexcept {
    std::uint64_t now = epoch_.load(std::memory_order_relaxed);
    while (true) {
      if (asymmetric_) [[likely]] {
        slot.store(now, std::memory_order_relaxed);
        base::light_fence();
      } else {
        slot.store(now);  // seq_cst, with the load behind it
      }
      const std::uint64_t again = epoch_.load();
      if (again == now) [[likely]]
        return;
      now = again;
    }
  }
  void exit(std::uint32_t index) noexcept {
    slots_[index].epoch.store(0, std::memory_order_release);
    if (index == base::kThreadIndexShared) [[unlikely]] {
      shared_turns_.unlock();
    }
  }
  std::uint64_t oldest() const noexcept;
  /// The same, where a fence was passed since what is asked for.
  std::uint64_t oldest_seen(std::uint64_t now) const noexcept;

  const bool asymmetric_ = base::asymmetric_fences();
  alignas(64) std::atomic<std::uint64_t> epoch_{1};
  const std::unique_ptr<Slot[]> slots_;
  /// Held inside by threads without a number of their own.
  struct Turns {
    std::atomic<bool> taken{false};  // acquire and release: a lock
    void lock() noexcept;
    void unlock() noexcept { taken.store(false, std::memory_order_release); }
  } shared_turns_;

  base::Mutex mutex_;
  std::deque<Garbage> garbage_ STRATA_GUARDED_BY(mutex_);  // turns rise
};

}  // namespace strata::backends::hybridlog
