// Expired records: how many there are, and how their space comes back.
//
// The expiry index holds, for each stored record that expires, one entry; and entries of records
// that a range removed. So an entry is a hint, and the record says whether it holds.
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

#include "backends/rocksdb/expiry_key.h"
#include "backends/rocksdb/rocksdb_engine.h"
#include "backends/rocksdb/status.h"
#include "base/quote.h"
#include "codec/record.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

/// What a commit sweeps behind itself: more than one, or commits of expiring records would
/// outrun it.
constexpr std::uint32_t kSweptPerCommit = 4;
/// Entries swept under one hold of their key locks.
constexpr std::size_t kSweptAtOnce = 64;

Bytes expiry_time(std::int64_t expires_ms) {
  Bytes bytes;
  put_expiry_time(bytes, expires_ms);
  return bytes;
}

Error not_an_entry() {
  return Error(Code::corruption, "rocksdb: an entry of the expiry index is too short");
}

// Whether the record of an entry is stored and expires when the entry says.
Result<bool> holds(Database& database, const ExpiryEntry& entry) {
  rdb::PinnableSlice record;
  const rdb::Status status =
      database.db().Get(rdb::ReadOptions(), database.records(), slice(entry.physical), &record);
  if (status.IsNotFound()) return false;
  STRATA_TRY(check(status, "look up an expired record"));
  const BytesView key = entry.physical.substr(codec::kKeyspaceBytes);
  const Result<codec::RecordView> parsed =
      codec::parse_record(record.ToStringView(), codec::Checksum::none, key);
  if (!parsed) {
    return Error(parsed.error().code(), "rocksdb: the record of " + base::quote(key),
                 parsed.error());
  }
  return parsed->info.expires_ms == entry.expires_ms;
}

}  // namespace

Result<> RocksdbEngine::load_earliest_expiry() {
  const std::unique_ptr<rdb::Iterator> first(
      database_->db().NewIterator(rdb::ReadOptions(), database_->expiries()));
  first->SeekToFirst();
  std::int64_t earliest = INT64_MAX;
  if (first->Valid()) {
    const auto entry = parse_expiry_entry(first->key().ToStringView());
    if (!entry) return not_an_entry();
    earliest = entry->expires_ms;
  }
  earliest_expiry_ms_.store(earliest, std::memory_order_seq_cst);
  return check(first->status(), "read the expiry index");
}

void RocksdbEngine::note_expiry(std::int64_t expires_ms) noexcept {
  std::int64_t earliest = earliest_expiry_ms_.load(std::memory_order_seq_cst);
  while (expires_ms < earliest && !earliest_expiry_ms_.compare_exchange_weak(
                                      earliest, expires_ms, std::memory_order_seq_cst)) {
  }
}

void RocksdbEngine::sweep_after_commit() {
  if (earliest_expiry_ms_.load(std::memory_order_seq_cst) > clock_.wall_ms()) return;
  if (!sweep_mutex_.try_lock()) return;  // somebody is at it
  bool more = false;
  const Result<std::uint64_t> swept = sweep(kSweptPerCommit, more);
  sweep_mutex_.unlock();
  // The commit stands. maintain() meets the same trouble, and reports it.
  static_cast<void>(swept);
}

Result<std::uint64_t> RocksdbEngine::sweep(std::uint32_t records, bool& more) {
  const std::int64_t now = clock_.wall_ms();
  const std::int64_t from = earliest_expiry_ms_.load(std::memory_order_seq_cst);
  more = false;
  if (from > now || records == 0) {
    more = from <= now;
    return 0;
  }
  // What is written from here on lowers it again; what was written before, the index shows.
  earliest_expiry_ms_.store(INT64_MAX, std::memory_order_seq_cst);
  const std::unique_ptr<rdb::Iterator> at(
      database_->db().NewIterator(rdb::ReadOptions(), database_->expiries()));
  std::uint64_t swept = 0;
  std::int64_t rest = INT64_MAX;
  Result<> outcome;
  std::vector<Bytes> entries;
  // Swept entries are tombstones until compaction: begin behind them.
  for (at->Seek(expiry_time(from)); at->Valid() && outcome; at->Next()) {
    const auto entry = parse_expiry_entry(at->key().ToStringView());
    if (!entry) return not_an_entry();
    if (entry->expires_ms > now || records == 0) {
      rest = entry->expires_ms;
      break;
    }
    entries.emplace_back(at->key().ToStringView());
    --records;
    if (entries.size() < kSweptAtOnce && records != 0) continue;
    const Result<std::uint64_t> some = sweep_keys(entries);
    entries.clear();
    if (some) {
      swept += *some;
    } else {
      outcome = some.error();
    }
  }
  if (outcome) outcome = check(at->status(), "read the expiry index");
  if (outcome && !entries.empty()) {
    const Result<std::uint64_t> some = sweep_keys(entries);
    if (some) {
      swept += *some;
    } else {
      outcome = some.error();
    }
  }
  note_expiry(outcome ? rest : from);
  if (!outcome) return outcome.error();
  more = rest <= now;
  return swept;
}

Result<std::uint64_t> RocksdbEngine::sweep_keys(std::span<const Bytes> entries) {
  KeyLocks::Held held(locks_);
  for (const Bytes& entry : entries) {
    held.name(*codec::parse_physical_key(parse_expiry_entry(entry)->physical));
  }
  held.take();
  rdb::WriteBatch batch;
  std::map<Keyspace, std::int64_t> changes;
  std::uint64_t swept = 0;
  for (const Bytes& bytes : entries) {
    const ExpiryEntry entry = *parse_expiry_entry(bytes);
    STRATA_TRY(check(batch.Delete(database_->expiries(), bytes), "add a removal to a batch"));
    STRATA_LET(const bool gone, holds(*database_, entry));
    if (!gone) continue;
    STRATA_TRY(check(batch.Delete(database_->records(), slice(entry.physical)),
                     "add a removal to a batch"));
    --changes[codec::parse_physical_key(entry.physical)->space];
    ++swept;
  }
  for (const auto& [space, change] : changes) Counts::stage(*database_, batch, space, change);
  STRATA_TRY(check(database_->db().Write(rdb::WriteOptions(), &batch), "remove expired records"));
  unsynced_.store(true, std::memory_order_relaxed);
  for (const auto& [space, change] : changes) counts_.add(space, change);
  return swept;
}

Result<std::uint64_t> RocksdbEngine::expired(std::optional<Keyspace> space) {
  const std::int64_t now = clock_.wall_ms();
  const std::int64_t from = earliest_expiry_ms_.load(std::memory_order_seq_cst);
  if (from > now) return 0;
  const std::unique_ptr<rdb::Iterator> at(
      database_->db().NewIterator(rdb::ReadOptions(), database_->expiries()));
  std::uint64_t count = 0;
  for (at->Seek(expiry_time(from)); at->Valid(); at->Next()) {
    const auto entry = parse_expiry_entry(at->key().ToStringView());
    if (!entry) return not_an_entry();
    if (entry->expires_ms > now) break;
    const Keyspace of = codec::parse_physical_key(entry->physical)->space;
    if (space ? of != *space : of < kFirstUserKeyspace) continue;
    STRATA_LET(const bool gone, holds(*database_, *entry));
    count += gone ? 1 : 0;
  }
  STRATA_TRY(check(at->status(), "read the expiry index"));
  return count;
}

// What nobody has swept yet is looked at one by one: sweeping keeps that little.
Result<std::uint64_t> RocksdbEngine::count(Keyspace space) {
  return try_rocks([&]() -> Result<std::uint64_t> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    const base::MutexLock lock(sweep_mutex_);
    const std::uint64_t stored = counts_.get(space);
    STRATA_LET(const std::uint64_t gone, expired(space));
    return stored - std::min(stored, gone);
  });
}

}  // namespace strata::backends::rocksdb
