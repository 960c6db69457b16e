#include "backends/hybridlog/upkeep.h"

#include <chrono>

#include "base/log.h"

namespace strata::backends::hybridlog {

namespace {
constexpr std::size_t kRecordsPerStep = 256;
constexpr std::size_t kBucketsPerStep = 1024;
constexpr auto kPause = std::chrono::milliseconds(20);
}  // namespace

Upkeep::Upkeep(Parts& parts, Reader& reader, Writer& writer, Expirer& expirer,
               Checkpointer* checkpointer, std::int64_t interval_ms)
    : parts_(parts),
      expirer_(expirer),
      checkpointer_(checkpointer),
      interval_ns_(interval_ms * 1'000'000),
      saved_ns_(parts.time.monotonic_ns()),
      compactor_(parts, reader, writer) {}

Upkeep::~Upkeep() { stop(); }

Result<> Upkeep::start_thread() {
  ending_.store(false, std::memory_order_release);
  STRATA_LET(thread_, base::Thread::start("strata-upkeep", [this] { run(); }));
  return {};
}

void Upkeep::stop() {
  ending_.store(true, std::memory_order_release);
  kick();
  thread_.join();
}

void Upkeep::kick() noexcept {
  if (!kicked_.exchange(true, std::memory_order_acq_rel)) wake_.release();
}

void Upkeep::run() {
  bool complained = false;
  while (!ending_.load(std::memory_order_acquire)) {
    if (wake_.try_acquire_for(kPause)) kicked_.store(false, std::memory_order_release);
    while (!ending_.load(std::memory_order_acquire)) {
      const Result<bool> more = own_step();
      if (!more && !complained) {
        log::warning("W0301", "hybridlog", "upkeep failed", {{"reason", more.error().to_string()}});
      }
      complained = !more;
      if (!more || !*more) break;
    }
  }
}

Result<bool> Upkeep::own_step() {
  STRATA_LET(const bool more, step());
  STRATA_LET(const Expirer::Swept swept, expirer_.sweep_at_once(kRecordsPerStep));
  return more || swept.looked_at == kRecordsPerStep;
}

Result<bool> Upkeep::step() {
  parts_.epoch.reclaim();
  const Result<> room = room_step();
  const bool growth = growth_step();
  const Result<bool> compaction = compaction_step(false);
  const Result<> kept = keep_interval();
  parts_.let_go_of_held();
  if (parts_.old.count() != 0) {
    parts_.old.trim([&](std::uint64_t from, std::uint64_t to) {
      return parts_.clock.pinned_between(from, to);
    });
  }
  STRATA_TRY(room);
  STRATA_TRY(kept);
  if (!compaction) return compaction.error();
  return growth || *compaction;
}

Result<> Upkeep::room_step() {
  const base::MutexLock lock(parts_.upkeep_mutex);
  Result<> room = parts_.log.keep_headroom();
  if (!room || !parts_.log.hungry()) {
    parts_.log.tell(room);
    return room;
  }
  room = parts_.log.keep_room();
  // A store without a device makes room by compaction only.
  while (!room && room.error().code() == Code::quota && !parts_.log.on_disk() &&
         compactor_.possible() && compactor_.dead_bytes() > 2 * parts_.log.frame_bytes()) {
    std::vector<std::shared_ptr<Segment>> gone;
    Result<bool> done = compactor_.step(kRecordsPerStep, gone);
    if (!done) {
      room = done.error();
      break;
    }
    if (*done) {
      compacted_.fetch_add(1, std::memory_order_relaxed);
      room = parts_.log.keep_room();
    }
  }
  parts_.log.tell(room);
  return room;
}

bool Upkeep::growth_step() {
  HashIndex& index = *parts_.index;
  if (index.wants_growth()) static_cast<void>(index.start_growth());
  if (!index.growing()) return false;
  const Epoch::Guard guard(parts_.epoch);
  return index.grow_some(kBucketsPerStep);
}

Result<bool> Upkeep::compaction_step(bool all) {
  std::vector<std::shared_ptr<Segment>> gone;
  {
    const base::MutexLock lock(parts_.upkeep_mutex);
    if (!compactor_.running() && !(all ? compactor_.possible() : compactor_.wanted())) return false;
    STRATA_LET(const bool finished, compactor_.step(kRecordsPerStep, gone));
    if (finished) compacted_.fetch_add(1, std::memory_order_relaxed);
    if (checkpointer_ == nullptr || gone.empty()) return true;
    // Before a checkpoint can see where the log begins now.
    checkpointer_->add_gone(std::move(gone));
  }
  const std::uint64_t patience =
      std::max(2 * parts_.log.segment_bytes(), parts_.log.bytes_held() / 16);
  if (checkpointer_->gone_bytes() >= patience) STRATA_TRY(checkpointer_->take());
  return true;
}

Result<> Upkeep::keep_interval() {
  if (interval_ns_ == 0 || checkpointer_ == nullptr) return {};
  const std::int64_t now = parts_.time.monotonic_ns();
  std::int64_t last = saved_ns_.load(std::memory_order_relaxed);
  if (now - last < interval_ns_ || !checkpointer_->anything_new()) return {};
  if (!saved_ns_.compare_exchange_strong(last, now, std::memory_order_relaxed)) return {};
  STRATA_TRY(checkpointer_->take());
  return {};
}

Result<> Upkeep::compact_all() {
  std::uint64_t end = 0;
  {
    const base::MutexLock lock(parts_.upkeep_mutex);
    if (parts_.log.on_disk()) {
      STRATA_LET(end, parts_.log.seal());
    } else {
      end = parts_.log.tail();
    }
  }
  while (parts_.log.begin() < end >> parts_.log.segment_bits() << parts_.log.segment_bits() &&
         dead_share_is_large()) {
    STRATA_LET(const bool more, compaction_step(true));
    if (!more) break;
    STRATA_TRY(room_step());
  }
  if (checkpointer_ != nullptr) STRATA_TRY(checkpointer_->take());
  return {};
}

bool Upkeep::dead_share_is_large() {
  const base::MutexLock lock(parts_.upkeep_mutex);
  return compactor_.running() || compactor_.dead_bytes() > parts_.log.bytes_held() / 20;
}

}  // namespace strata::backends::hybridlog
