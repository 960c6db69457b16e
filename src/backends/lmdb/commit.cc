// Commits. LMDB has one writer, and each of its transactions waits for the device once: so commits
// that come while one runs are put into the next transaction together, by whichever thread leads.
#include <algorithm>

#include "backends/lmdb/lmdb_engine.h"
#include "backends/lmdb/writer.h"
#include "contract/check.h"
#include "io/file_system.h"

namespace strata::backends::lmdb {

namespace {

/// Of one transaction: a bound for how long the first commit in it waits for the last.
constexpr std::size_t kGroupCommits = 64;
constexpr std::uint64_t kGroupBytes = 16 * 1024 * 1024;
/// What a commit sweeps behind itself: more than one, or commits of expiring records would
/// outrun it.
constexpr std::uint32_t kSweptPerCommit = 4;

Result<> check_attributes(const WriteBatch& batch) {
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::put) STRATA_TRY(codec::valid_attributes(effect.attributes));
  }
  return {};
}

}  // namespace

Result<Commit> LmdbEngine::commit(const WriteBatch& batch, const WriteOptions& options) {
  STRATA_TRY(contract::check_limits(batch, limits()));
  STRATA_TRY(check_attributes(batch));
  Request request{
      &batch, options.durability == Durability::store_default ? durability_ : options.durability,
      Commit{}};
  const base::MutexLock lock(queue_mutex_);
  queue_.push_back(&request);
  while (!request.done) {
    if (led_) {
      turn_.wait(queue_mutex_);
    } else {
      lead(request);
    }
  }
  return std::move(request.outcome);
}

// Takes what waits, in its order, until its own commit is done.
void LmdbEngine::lead(Request& own) {
  led_ = true;
  while (!own.done) {
    std::vector<Request*> group;
    std::uint64_t bytes = 0;
    while (!queue_.empty() && group.size() < kGroupCommits && bytes < kGroupBytes) {
      group.push_back(queue_.front());
      queue_.pop_front();
      bytes += group.back()->batch->bytes();
    }
    queue_mutex_.unlock();
    run_group(group);
    queue_mutex_.lock();
    for (Request* request : group) request->done = true;
  }
  led_ = false;
  turn_.notify_all();
}

void LmdbEngine::run_group(std::span<Request* const> group) {
  const base::MutexLock lock(writer_mutex_);
  Result<> outcome = try_group(group);
  if (!outcome && group.size() > 1) {
    // One of them cannot be: then each for itself, so that it fails alone.
    for (Request* request : group) {
      outcome = try_group(std::span(&request, 1));
      if (!outcome) request->outcome = outcome.error();
    }
  } else if (!outcome) {
    group.front()->outcome = outcome.error();
  }
  grow_ahead();
}

Result<> LmdbEngine::try_group(std::span<Request* const> group) {
  Durability strongest = Durability::none;
  const auto apply_all = [&](Writer& writer) -> Result<> {
    const std::int64_t now = clock_.wall_ms();
    for (Request* request : group) {
      STRATA_LET(request->outcome, writer.apply(*request->batch, now, limits().value_bytes_max));
      strongest = std::max(strongest, request->durability);
    }
    bool more = false;
    STRATA_TRY(writer.sweep(kSweptPerCommit * static_cast<std::uint32_t>(group.size()), now, more));
    return {};
  };
  STRATA_TRY(write(apply_all));
  return sync_after(strongest);
}

Result<> LmdbEngine::write(FunctionRef<Result<>(Writer&)> function) {
  while (true) {
    bool full = false;
    Result<> outcome;
    {
      const base::ReaderGate::Pass pass(gate_);
      STRATA_TRY(check_writable());
      STRATA_LET(Writer writer, Writer::begin(*map_));
      outcome = function(writer);
      if (outcome) outcome = writer.commit();
      full = writer.map_full();
    }
    if (!full) return outcome ? outcome : name_full_disk(outcome.error());
    STRATA_TRY(grow());
  }
}

// LMDB takes a write that was cut short for a fault of the device.
Error LmdbEngine::name_full_disk(Error error) {
  constexpr std::uint64_t kFullBytes = 64 * 1024;
  if (error.code() != Code::io) return error;
  const Result<io::SpaceInfo> space = files_.space(folder_);
  if (!space || space->free_bytes >= kFullBytes) return error;
  return Error(Code::quota, "lmdb: no space is left in " + folder_, std::move(error));
}

Result<> LmdbEngine::grow() {
  const base::ReaderGate::Alone alone(gate_);
  STRATA_TRY(check_open());
  // The map may move when it grows, and a snapshot looks into it.
  const std::uint64_t snapshots = open_snapshots();
  if (snapshots != 0) {
    return Error(Code::busy, "lmdb: the map of " + std::to_string(map_->map_bytes()) +
                                 " bytes is full, and cannot grow while " +
                                 std::to_string(snapshots) +
                                 " snapshots are open; end them, or begin with a larger `map`");
  }
  return map_->grow();
}

// Grows in a quiet moment, so that a later snapshot finds room to write beside it.
void LmdbEngine::grow_ahead() {
  {
    const base::ReaderGate::Pass pass(gate_);
    if (map_ == nullptr || map_->used_bytes() < map_->map_bytes() / 4 * 3) return;
  }
  if (open_snapshots() != 0) return;
  const Result<> grown = grow();
  static_cast<void>(grown);  // it was ahead of need; who needs it will be told
}

Result<> LmdbEngine::sync_after(Durability strongest) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  const std::int64_t now = clock_.monotonic_ns();
  if (strongest != Durability::commit) {
    unsynced_.store(true, std::memory_order_relaxed);
    const std::int64_t last = synced_ns_.load(std::memory_order_relaxed);
    if (strongest != Durability::interval || now - last < interval_ns_) return {};
  }
  synced_ns_.store(now, std::memory_order_relaxed);
  unsynced_.store(false, std::memory_order_relaxed);
  return map_->sync();
}

Result<Maintenance> LmdbEngine::maintain(std::uint32_t records) {
  Maintenance done;
  {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    if (settings_.read_only) return done;
    map_->clear_stale_readers();
  }
  bool any = false;
  STRATA_TRY(with_read(nullptr, [&](const Sight& sight) -> Result<> {
    STRATA_LET(any, any_expired(sight.txn, sight.now_ms));
    return {};
  }));
  const base::MutexLock lock(writer_mutex_);
  if (any && records != 0) {
    STRATA_TRY(write([&](Writer& writer) -> Result<> {
      STRATA_LET(done.expired, writer.sweep(records, clock_.wall_ms(), done.more));
      return {};
    }));
  }
  if (unsynced_.load(std::memory_order_relaxed)) STRATA_TRY(sync_after(Durability::interval));
  return done;
}

}  // namespace strata::backends::lmdb
