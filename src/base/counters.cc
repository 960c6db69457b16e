// Who owns which slot and which cells. All of it is off the path on which things are counted.
#include "base/counters.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

namespace strata::base {
namespace internal {

constinit thread_local LocalSlot local_slot{0, nullptr};

struct MetricState {
  struct Metric {
    std::string name;
    MetricHandle handle;
    bool recorder;
  };

  MetricState() : overflow(true) {
    static std::atomic<std::uint64_t> next_id{1};  // never used twice; relaxed: only a number
    id = next_id.fetch_add(1, std::memory_order_relaxed);
  }

  std::uint64_t sum(const MetricHandle& handle, std::size_t cell) const STRATA_REQUIRES(mutex);
  Histogram histogram(const MetricHandle& handle) const STRATA_REQUIRES(mutex);
  Result<MetricHandle> claim(std::string name, bool recorder) STRATA_EXCLUDES(mutex);
  void release(const MetricHandle& handle) STRATA_EXCLUDES(mutex);
  template <class Visit>
  void each_chunk(std::size_t chunk, const Visit& visit) const STRATA_REQUIRES(mutex);

  std::uint64_t id;
  std::weak_ptr<MetricState> self;
  MetricSlot overflow;

  mutable Mutex mutex;
  std::vector<std::unique_ptr<MetricSlot>> slots STRATA_GUARDED_BY(mutex);
  std::vector<MetricSlot*> free_slots STRATA_GUARDED_BY(mutex);
  std::map<std::uint64_t, Metric> metrics STRATA_GUARDED_BY(mutex);  // in the order of making
  std::uint64_t next_metric STRATA_GUARDED_BY(mutex) = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> free_cells STRATA_GUARDED_BY(mutex);
  std::vector<std::uint32_t> free_chunks STRATA_GUARDED_BY(mutex);
  std::uint32_t next_chunk STRATA_GUARDED_BY(mutex) = 0;
};

namespace {

enum class ThreadStage : unsigned char { running, ended };
// Outlives SlotOwner below: destructors that run after it must not claim again.
constinit thread_local ThreadStage thread_stage = ThreadStage::running;

/// The slots of one thread, given back at its end.
class SlotOwner {
 public:
  SlotOwner() = default;
  SlotOwner(const SlotOwner&) = delete;
  SlotOwner& operator=(const SlotOwner&) = delete;
  ~SlotOwner() {
    thread_stage = ThreadStage::ended;
    local_slot = {0, nullptr};
    for (const Claim& claim : claims_) {
      const std::shared_ptr<MetricState> state = claim.state.lock();
      if (state == nullptr) continue;
      const MutexLock lock(state->mutex);
      state->free_slots.push_back(claim.slot);
    }
  }

  MetricSlot& slot(MetricState& state) {
    for (const Claim& claim : claims_) {
      if (claim.id == state.id) return *claim.slot;
    }
    std::erase_if(claims_, [](const Claim& claim) { return claim.state.expired(); });
    claims_.reserve(claims_.size() + 1);
    const MutexLock lock(state.mutex);
    MetricSlot* slot = nullptr;
    if (!state.free_slots.empty()) {
      slot = state.free_slots.back();
      state.free_slots.pop_back();
    } else if (state.slots.size() < MetricRegistry::kThreadsMax) {
      state.slots.push_back(std::make_unique<MetricSlot>(false));
      // Every slot has its place to come back to: giving one back allocates nothing.
      state.free_slots.reserve(state.slots.size());
      slot = state.slots.back().get();
    } else {
      return state.overflow;  // not kept: the next call may find one free
    }
    claims_.push_back({state.id, state.self, slot});
    return *slot;
  }

 private:
  struct Claim {
    std::uint64_t id;
    std::weak_ptr<MetricState> state;
    MetricSlot* slot;
  };
  std::vector<Claim> claims_;
};

}  // namespace

MetricSlot& claim_slot(MetricState& state) noexcept {
  if (thread_stage == ThreadStage::ended) return state.overflow;
  thread_local SlotOwner owner;
  MetricSlot& slot = owner.slot(state);
  if (!slot.shared) local_slot = {state.id, &slot};
  return slot;
}

MetricSlot::~MetricSlot() {
  for (std::atomic<Cell*>& chunk : chunks) delete[] chunk.load(std::memory_order_relaxed);
}

Cell* MetricSlot::make_chunk(std::size_t chunk) noexcept {
  auto made = std::make_unique<Cell[]>(kChunkCells);
  Cell* expected = nullptr;  // in the shared slot another thread may be first
  if (chunks[chunk].compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
    return made.release();
  }
  return expected;
}

void MetricSlot::raise(Cell& cell, std::uint64_t to) noexcept {
  std::uint64_t now = cell.load(std::memory_order_relaxed);
  if (!shared) {
    if (now < to) cell.store(to, std::memory_order_relaxed);
    return;
  }
  while (now < to && !cell.compare_exchange_weak(now, to, std::memory_order_relaxed)) {
  }
}

template <class Visit>
void MetricState::each_chunk(std::size_t chunk, const Visit& visit) const {
  const auto visit_slot = [&](const MetricSlot& slot) {
    Cell* cells = slot.chunks[chunk].load(std::memory_order_acquire);
    if (cells != nullptr) visit(cells);
  };
  visit_slot(overflow);
  for (const auto& slot : slots) visit_slot(*slot);
}

std::uint64_t MetricState::sum(const MetricHandle& handle, std::size_t cell) const {
  std::uint64_t total = 0;
  each_chunk(handle.chunk,
             [&](const Cell* cells) { total += cells[cell].load(std::memory_order_relaxed); });
  return total;
}

Histogram MetricState::histogram(const MetricHandle& handle) const {
  Histogram total;
  each_chunk(handle.chunk, [&](const Cell* cells) {
    for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
      total.add_bucket(bucket, cells[bucket].load(std::memory_order_relaxed));
    }
    total.add_totals(cells[Histogram::kBuckets].load(std::memory_order_relaxed),
                     cells[Histogram::kBuckets + 1].load(std::memory_order_relaxed));
  });
  return total;
}

Result<MetricHandle> MetricState::claim(std::string name, bool recorder) {
  const MutexLock lock(mutex);
  const bool needs_chunk = recorder ? free_chunks.empty() : free_cells.empty();
  if (needs_chunk && (recorder || free_chunks.empty()) && next_chunk == MetricSlot::kChunks) {
    return Error(Code::quota, "metric '" + name + "': all cells of the registry are taken");
  }
  MetricHandle handle{.state = this, .registry_id = id, .chunk = 0, .cell = 0};
  if (!recorder && !free_cells.empty()) {
    std::tie(handle.chunk, handle.cell) = free_cells.back();
    free_cells.pop_back();
  } else {
    handle.chunk = next_chunk;
    if (free_chunks.empty()) {
      ++next_chunk;
    } else {
      handle.chunk = free_chunks.back();
      free_chunks.pop_back();
    }
    // A chunk for counters stays one; its first cell is taken now, the lowest of the rest next.
    for (auto cell = std::uint32_t{MetricSlot::kChunkCells}; !recorder && cell-- > 1;) {
      free_cells.emplace_back(handle.chunk, cell);
    }
  }
  metrics.emplace(next_metric++, Metric{std::move(name), handle, recorder});
  return handle;
}

void MetricState::release(const MetricHandle& handle) {
  const MutexLock lock(mutex);
  const auto metric = std::find_if(metrics.begin(), metrics.end(), [&](const auto& entry) {
    return entry.second.handle.chunk == handle.chunk && entry.second.handle.cell == handle.cell;
  });
  STRATA_CHECK(metric != metrics.end());
  const bool recorder = metric->second.recorder;
  metrics.erase(metric);
  // Nobody counts in them any more, so that they are zero for whoever gets them next.
  const std::size_t count = recorder ? MetricSlot::kChunkCells : 1;
  each_chunk(handle.chunk, [&](Cell* cells) {
    for (std::size_t i = 0; i < count; ++i) {
      cells[handle.cell + i].store(0, std::memory_order_relaxed);
    }
  });
  if (recorder) {
    free_chunks.push_back(handle.chunk);
  } else {
    free_cells.emplace_back(handle.chunk, handle.cell);
  }
}

}  // namespace internal

Counter::~Counter() {
  if (handle_.state != nullptr) handle_.state->release(handle_);
}

Counter& Counter::operator=(Counter&& other) noexcept {
  Counter old(std::exchange(handle_, {}));
  handle_ = std::exchange(other.handle_, {});
  return *this;
}

std::uint64_t Counter::value() const {
  const MutexLock lock(handle_.state->mutex);
  return handle_.state->sum(handle_, handle_.cell);
}

Recorder::~Recorder() {
  if (handle_.state != nullptr) handle_.state->release(handle_);
}

Recorder& Recorder::operator=(Recorder&& other) noexcept {
  Recorder old(std::exchange(handle_, {}));
  handle_ = std::exchange(other.handle_, {});
  return *this;
}

Histogram Recorder::value() const {
  const MutexLock lock(handle_.state->mutex);
  return handle_.state->histogram(handle_);
}

MetricRegistry::MetricRegistry() : state_(std::make_shared<internal::MetricState>()) {
  state_->self = state_;
}

MetricRegistry::~MetricRegistry() {
  const MutexLock lock(state_->mutex);
  STRATA_CHECK(state_->metrics.empty());  // a handle would count in memory that is gone
}

Result<Counter> MetricRegistry::counter(std::string name) {
  STRATA_LET(const internal::MetricHandle handle, state_->claim(std::move(name), false));
  return Counter(handle);
}

Result<Recorder> MetricRegistry::recorder(std::string name) {
  STRATA_LET(const internal::MetricHandle handle, state_->claim(std::move(name), true));
  return Recorder(handle);
}

void MetricRegistry::visit(const CounterVisitor& counters, const RecorderVisitor& recorders) const {
  const MutexLock lock(state_->mutex);
  for (const auto& [order, metric] : state_->metrics) {
    if (metric.recorder) {
      recorders(metric.name, state_->histogram(metric.handle));
    } else {
      counters(metric.name, state_->sum(metric.handle, metric.handle.cell));
    }
  }
}

MetricRegistry& global_metrics() {
  // Threads may count until the very end of the program, after all destructors of globals.
  static MetricRegistry& registry = *new MetricRegistry();
  return registry;
}

}  // namespace strata::base
