// Counters and latency recorders that threads write without sharing a cache line.
//
// Each thread that counts claims a slot of the registry, a set of cells that only it writes (a
// plain load, add, store: some 1 ns), and gives it back when it ends; what it counted stays. A
// reader sums all slots. Beyond kThreadsMax threads at once the rest share one slot and pay for an
// atomic addition.
//
//   slot of thread 1:  [counters ...] [recorder A] [recorder B]      chunks of kChunkCells cells,
//   slot of thread 2:  [counters ...] [          ] [recorder B]      made when first written to
//
// Threads: add() and record() from any, while the handle lives. value() and visit() too: what they
//          give was true of each cell at some moment of the call, not of all at one moment.
// Owns:    the registry owns all cells and must outlive its handles.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/histogram.h"
#include "strata/result.h"

namespace strata::base {

namespace internal {

using Cell = std::atomic<std::uint64_t>;  // relaxed everywhere: numbers that order nothing

struct MetricState;

/// The cells of one thread, or (shared) of all those that got none.
struct MetricSlot {
  static constexpr std::size_t kChunks = 512;
  static constexpr std::size_t kChunkCells = 1280;

  explicit MetricSlot(bool is_shared) : shared(is_shared) {}
  ~MetricSlot();
  MetricSlot(const MetricSlot&) = delete;
  MetricSlot& operator=(const MetricSlot&) = delete;

  /// Where a handle's cells are in this slot, made if need be.
  Cell* cells(std::size_t chunk) noexcept {
    Cell* found = chunks[chunk].load(std::memory_order_acquire);
    return found != nullptr ? found : make_chunk(chunk);
  }
  Cell* make_chunk(std::size_t chunk) noexcept;

  void add(Cell& cell, std::uint64_t n) noexcept {
    if (shared) [[unlikely]] {
      cell.fetch_add(n, std::memory_order_relaxed);
    } else {
      cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
  }
  void raise(Cell& cell, std::uint64_t to) noexcept;

  const bool shared;
  std::atomic<Cell*> chunks[kChunks] = {};  // release in make_chunk; acquire in cells() and sums
};

/// The slot that this thread used last, and of which registry. Plain data: no guard, no call.
struct LocalSlot {
  std::uint64_t registry_id;  // 0: none
  MetricSlot* slot;
};
extern constinit thread_local LocalSlot local_slot __attribute__((tls_model("initial-exec")));

/// The way when local_slot is another registry's, or this thread's first.
MetricSlot& claim_slot(MetricState& state) noexcept;

/// What a handle knows: its registry and its cells.
struct MetricHandle {
  MetricState* state = nullptr;
  std::uint64_t registry_id = 0;
  std::uint32_t chunk = 0;
  std::uint32_t cell = 0;

  MetricSlot& slot() const noexcept {
    const LocalSlot& local = local_slot;
    return local.registry_id == registry_id ? *local.slot : claim_slot(*state);
  }
};

}  // namespace internal

class MetricRegistry;

/// Counts up. Its end takes it out of the registry; nobody may be counting then.
class Counter {
 public:
  Counter() noexcept = default;  ///< counts nowhere: do not call add()
  Counter(Counter&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Counter& operator=(Counter&& other) noexcept;
  ~Counter();

  void add(std::uint64_t n = 1) noexcept {
    internal::MetricSlot& slot = handle_.slot();
    slot.add(slot.cells(handle_.chunk)[handle_.cell], n);
  }
  std::uint64_t value() const;

 private:
  friend class MetricRegistry;
  explicit Counter(internal::MetricHandle handle) noexcept : handle_(handle) {}
  internal::MetricHandle handle_;
};

/// Records values, such as nanoseconds, for a Histogram. Else as Counter.
class Recorder {
 public:
  Recorder() noexcept = default;  ///< records nowhere: do not call record()
  Recorder(Recorder&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Recorder& operator=(Recorder&& other) noexcept;
  ~Recorder();

  void record(std::uint64_t value) noexcept {
    internal::MetricSlot& slot = handle_.slot();
    internal::Cell* cells = slot.cells(handle_.chunk);
    slot.add(cells[Histogram::bucket_of(value)], 1);
    slot.add(cells[kSumCell], value);
    slot.raise(cells[kMaxCell], value);
  }
  Histogram value() const;

 private:
  friend class MetricRegistry;
  static constexpr std::size_t kSumCell = Histogram::kBuckets;
  static constexpr std::size_t kMaxCell = Histogram::kBuckets + 1;
  static_assert(kMaxCell < internal::MetricSlot::kChunkCells);

  explicit Recorder(internal::MetricHandle handle) noexcept : handle_(handle) {}
  internal::MetricHandle handle_;
};

class MetricRegistry {
 public:
  static constexpr std::size_t kThreadsMax = 256;

  MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;
  ~MetricRegistry();

  /// Names need not differ: two stores of one process may count the same thing.
  /// Code::quota when all cells are taken (some 500 recorders).
  Result<Counter> counter(std::string name);
  Result<Recorder> recorder(std::string name);

  using CounterVisitor = std::function<void(const std::string& name, std::uint64_t value)>;
  using RecorderVisitor = std::function<void(const std::string& name, const Histogram& value)>;
  /// Each metric once, in the order they were made. A visitor must not make or end a metric.
  void visit(const CounterVisitor& counters, const RecorderVisitor& recorders) const;

 private:
  std::shared_ptr<internal::MetricState> state_;
};

/// The program's registry, what /metrics and INFO show. It is never destroyed.
MetricRegistry& global_metrics();

}  // namespace strata::base
