// Commits: lock the keys, look up what lies there, plan, write one RocksDB batch.
//
// In that batch: removed ranges first, then the outcome of each key, its entries of the expiry
// index, and what the counts change by. So all of it is there after a crash, or nothing.
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

#include "backends/rocksdb/expiry_key.h"
#include "backends/rocksdb/rocksdb_engine.h"
#include "backends/rocksdb/status.h"
#include "base/quote.h"
#include "codec/physical_key.h"
#include "codec/record.h"
#include "contract/check.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

/// Keys looked up by one call of RocksDB, and the bytes it may give back at once: more is read
/// one by one, so that a batch over large values does not hold all their old bytes.
constexpr std::size_t kLookUpKeys = 64;
constexpr std::uint64_t kLookUpBytes = 16 * 1024 * 1024;
/// A range with at most this many records is removed key by key: a range tombstone costs every
/// later read that passes it.
constexpr std::size_t kSingleRemovalsMax = 128;

Result<> check_attributes(const WriteBatch& batch) {
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::put) STRATA_TRY(codec::valid_attributes(effect.attributes));
  }
  return {};
}

void name_keys(const WriteBatch& batch, KeyLocks::Held& held) {
  for (const Condition& condition : batch.conditions()) held.name(condition.key);
  for (const Effect& effect : batch.effects()) {
    if (effect.kind == EffectKind::delete_range) {
      held.name_all();
    } else {
      held.name(effect.key);
    }
  }
}

}  // namespace

struct RocksdbEngine::Removal {
  Keyspace space{};
  Bytes begin;
  Bytes end;
};

Result<Commit> RocksdbEngine::commit(const WriteBatch& batch, const WriteOptions& options) {
  STRATA_TRY(contract::check_limits(batch, limits()));
  STRATA_TRY(check_attributes(batch));
  return try_rocks([&]() -> Result<Commit> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_writable());
    const Durability durability =
        options.durability == Durability::store_default ? durability_ : options.durability;
    Commit done;
    {
      KeyLocks::Held held(locks_);
      name_keys(batch, held);
      held.take();
      CommitPlan plan(batch, clock_.wall_ms());
      std::vector<rdb::PinnableSlice> kept;  // what the plan borrows from
      STRATA_TRY(look_up(plan, kept));
      done.failed = plan.refused();
      if (done.failed) return done;
      STRATA_TRY(plan.apply(limits().value_bytes_max));
      STRATA_LET(done.version, write(batch, plan, durability));
    }
    if (durability == Durability::interval) STRATA_TRY(sync_interval());
    sweep_after_commit();
    return done;
  });
}

Result<> RocksdbEngine::look_up(CommitPlan& plan, std::vector<rdb::PinnableSlice>& kept) {
  std::span<CommitPlan::Slot> slots = plan.slots();
  kept.reserve(static_cast<std::size_t>(
      std::ranges::count_if(slots, [](const auto& slot) { return slot.needs_value; })));
  while (!slots.empty()) {
    const std::size_t count = std::min(slots.size(), kLookUpKeys);
    STRATA_TRY(look_up_some(plan, slots.first(count), kept));
    slots = slots.subspan(count);
  }
  return {};
}

Result<> RocksdbEngine::look_up_some(CommitPlan& plan, std::span<CommitPlan::Slot> slots,
                                     std::vector<rdb::PinnableSlice>& kept) {
  std::vector<Bytes> physical(slots.size());
  std::vector<rdb::Slice> keys(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    codec::put_physical_key(physical[i], slots[i].key);
    keys[i] = slice(physical[i]);
  }
  std::vector<rdb::PinnableSlice> records(slots.size());
  std::vector<rdb::Status> statuses(slots.size(), rdb::Status::Aborted());
  rdb::ReadOptions options;
  if (slots.size() > 1) {
    options.value_size_soft_limit = kLookUpBytes;
    database_->db().MultiGet(options, database_->records(), keys.size(), keys.data(),
                             records.data(), statuses.data(), true);
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (statuses[i].IsAborted()) {  // alone, or beyond the soft limit
      statuses[i] =
          database_->db().Get(rdb::ReadOptions(), database_->records(), keys[i], &records[i]);
    }
    if (statuses[i].IsNotFound()) continue;
    STRATA_TRY(check(statuses[i], "look up a record"));
    rdb::PinnableSlice* record = &records[i];
    if (slots[i].needs_value) record = &kept.emplace_back(std::move(records[i]));
    const Result<> found = plan.found(slots[i], record->ToStringView());
    if (!found) {
      return Error(found.error().code(), "rocksdb: the record of " + base::quote(slots[i].key.key),
                   found.error());
    }
    if (!slots[i].needs_value) record->Reset();
  }
  return {};
}

Result<Version> RocksdbEngine::write(const WriteBatch& batch, CommitPlan& plan,
                                     Durability durability) {
  if (batch.effects().empty()) return versions_.now();
  STRATA_LET(const Version version, versions_.next(*database_));
  rdb::WriteBatch to(static_cast<std::size_t>(batch.bytes() + 64 * plan.slots().size() + 64));
  std::map<Keyspace, std::int64_t> changes;
  if (plan.has_ranges()) STRATA_TRY(stage_removals(batch, plan, to, changes));
  std::int64_t earliest = INT64_MAX;
  for (const CommitPlan::Slot& slot : plan.slots()) {
    if (slot.outcome == CommitPlan::Outcome::untouched) continue;
    STRATA_TRY(stage_slot(slot, version, to));
    changes[slot.key.space] += int{slot.stored_after()} - int{slot.stored.has_value()};
    if (slot.outcome == CommitPlan::Outcome::put && slot.attributes.expires_ms != kNeverExpires) {
      earliest = std::min(earliest, slot.attributes.expires_ms);
    }
  }
  for (const auto& [space, change] : changes) {
    if (change != 0) Counts::stage(*database_, to, space, change);
  }
  if (to.Count() == 0) return version;

  rdb::WriteOptions options;
  options.sync = durability == Durability::commit;
  STRATA_TRY(check(database_->db().Write(options, &to), "write a batch"));
  if (!options.sync) unsynced_.store(true, std::memory_order_relaxed);
  for (const auto& [space, change] : changes) {
    if (change != 0) counts_.add(space, change);
  }
  if (earliest != INT64_MAX) note_expiry(earliest);
  return version;
}

Result<> RocksdbEngine::stage_slot(const CommitPlan::Slot& slot, Version version,
                                   rdb::WriteBatch& to) {
  const codec::PhysicalKey physical(slot.key);
  const bool put = slot.outcome == CommitPlan::Outcome::put;
  const std::int64_t before = slot.stored ? slot.stored->info.expires_ms : kNeverExpires;
  const std::int64_t after = put ? slot.attributes.expires_ms : kNeverExpires;
  if (put) {
    Bytes head;
    codec::put_record_head(head, slot.attributes, version, codec::Checksum::none, slot.key.key,
                           slot.value);
    const rdb::Slice key = slice(physical.view());
    const rdb::Slice parts[2] = {slice(head), slice(slot.value)};
    STRATA_TRY(
        check(to.Put(database_->records(), rdb::SliceParts(&key, 1), rdb::SliceParts(parts, 2)),
              "add a record to a batch"));
  } else if (slot.stored) {
    STRATA_TRY(
        check(to.Delete(database_->records(), slice(physical.view())), "add a removal to a batch"));
  }
  if (before == after) return {};
  if (before != kNeverExpires) {
    STRATA_TRY(check(to.Delete(database_->expiries(), expiry_entry(before, physical.view())),
                     "add a removal to a batch"));
  }
  if (after != kNeverExpires) {
    STRATA_TRY(check(to.Put(database_->expiries(), expiry_entry(after, physical.view()), {}),
                     "add an expiry to a batch"));
  }
  return {};
}

// Ranges may overlap; each record in them counts once, and those that the plan knows count there.
// Entries of the expiry index stay behind: whoever sweeps asks the record first.
Result<> RocksdbEngine::stage_removals(const WriteBatch& batch, const CommitPlan& plan,
                                       rdb::WriteBatch& to,
                                       std::map<Keyspace, std::int64_t>& changes) {
  std::vector<Removal> removals;
  for (const Effect& effect : batch.effects()) {
    if (effect.kind != EffectKind::delete_range) continue;
    Removal removal{effect.key.space, {}, codec::physical_end(effect.key.space, effect.value)};
    codec::put_physical_key(removal.begin, effect.key);
    if (removal.begin < removal.end) removals.push_back(std::move(removal));
  }
  std::ranges::sort(removals, {}, &Removal::begin);
  Bytes done_to;  // everything below has been gone over
  for (const Removal& removal : removals) {
    const Bytes begin = std::max(removal.begin, done_to);
    if (begin >= removal.end) continue;
    done_to = removal.end;
    rdb::ReadOptions options;
    const rdb::Slice upper = slice(removal.end);
    options.iterate_upper_bound = &upper;
    options.fill_cache = false;
    const IteratorPtr at = iterate(options);
    std::int64_t count = 0;
    std::vector<Bytes> singles;
    for (at->Seek(slice(begin)); at->Valid(); at->Next()) {
      const BytesView physical = at->key().ToStringView();
      if (plan.find(*codec::parse_physical_key(physical)) != nullptr) continue;
      if (++count <= static_cast<std::int64_t>(kSingleRemovalsMax)) singles.emplace_back(physical);
    }
    STRATA_TRY(check(at->status(), "go over a range that is to be removed"));
    changes[removal.space] -= count;
    if (static_cast<std::size_t>(count) <= kSingleRemovalsMax) {
      for (const Bytes& physical : singles) {
        STRATA_TRY(check(to.Delete(database_->records(), physical), "add a removal to a batch"));
      }
    } else {
      STRATA_TRY(check(to.DeleteRange(database_->records(), slice(begin), upper),
                       "add a removal to a batch"));
    }
  }
  return {};
}

}  // namespace strata::backends::rocksdb
