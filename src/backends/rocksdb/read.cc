// Reads by key. All keys of one call are read at one sequence number of RocksDB.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include <functional>

#include "backends/rocksdb/rocksdb_engine.h"
#include "backends/rocksdb/status.h"
#include "base/quote.h"
#include "codec/physical_key.h"
#include "codec/record.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

/// A value up to this length is copied into the reader's buffer. A longer one stays where RocksDB
/// put it, in its cache or in a buffer of its own, and is shared.
constexpr std::size_t kCopiedBytesMax = 16 * 1024;

// Keeps a record alive behind a Value, and the cache behind the record.
struct Pinned {
  std::shared_ptr<rdb::Cache> cache;
  rdb::PinnableSlice record;
};

}  // namespace

Result<> RocksdbEngine::mget(std::span<Read> reads, const ReadOptions& options) {
  return try_rocks([&]() -> Result<> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(read(reads, options, true));
    return {};
  });
}

// What lies in memory is answered here. Where something does not, all is read again by a thread
// that may wait: parts of two views would be none.
std::optional<Result<>> RocksdbEngine::start_mget(std::span<Read> reads, const ReadOptions& options,
                                                  ReadCompletion& then) {
  const Result<bool> answered = try_rocks([&]() -> Result<bool> {
    const base::ReaderGate::Pass pass(gate_);
    return read(reads, options, false);
  });
  if (!answered) return Result<>(answered.error());
  if (*answered) return Result<>();
  const Result<> submitted =
      readers_->submit([this, reads, options, &then]() { then.complete(mget(reads, options)); });
  if (!submitted) return submitted;
  return std::nullopt;
}

Result<bool> RocksdbEngine::read(std::span<Read> reads, const ReadOptions& options, bool waits) {
  STRATA_TRY(check_open());
  STRATA_LET(const Sight sight, sight_of(options.at));
  if (reads.size() == 1) return read_one(reads.front(), sight, options.info_only, waits);
  if (reads.empty()) return true;
  if (waits) {
    STRATA_TRY(read_many(reads, sight, options.info_only));
    return true;
  }
  return read_many_cached(reads, sight, options.info_only);
}

// One by one, at a snapshot: RocksDB 7.8's MultiGet goes to the device even when told not to.
Result<bool> RocksdbEngine::read_many_cached(std::span<Read> reads, Sight sight, bool info_only) {
  rdb::DB& db = database_->db();
  std::unique_ptr<const rdb::Snapshot, std::function<void(const rdb::Snapshot*)>> held;
  if (sight.snapshot == nullptr) {
    sight.snapshot = db.GetSnapshot();
    held = {sight.snapshot, [&db](const rdb::Snapshot* snapshot) { db.ReleaseSnapshot(snapshot); }};
  }
  for (Read& read : reads) {
    STRATA_LET(const bool answered, read_one(read, sight, info_only, false));
    if (!answered) return false;
  }
  return true;
}

Result<bool> RocksdbEngine::read_one(Read& read, const Sight& sight, bool info_only, bool waits) {
  rdb::ReadOptions options = read_options(sight);
  if (!waits) options.read_tier = rdb::kBlockCacheTier;
  const codec::PhysicalKey key(read.key);
  rdb::PinnableSlice record;
  const rdb::Status status =
      database_->db().Get(options, database_->records(), slice(key.view()), &record);
  if (status.IsIncomplete()) return false;
  if (status.IsNotFound()) {
    read.info.reset();
    read.value.clear();
    return true;
  }
  STRATA_TRY(check(status, "read a record"));
  STRATA_TRY(answer(read, std::move(record), sight, info_only));
  return true;
}

Result<> RocksdbEngine::read_many(std::span<Read> reads, const Sight& sight, bool info_only) {
  const rdb::ReadOptions options = read_options(sight);
  Bytes arena;
  std::vector<std::size_t> ends;
  ends.reserve(reads.size());
  for (const Read& read : reads) {
    codec::put_physical_key(arena, read.key);
    ends.push_back(arena.size());
  }
  std::vector<rdb::Slice> keys;
  keys.reserve(reads.size());
  for (std::size_t begin = 0; const std::size_t end : ends) {
    keys.emplace_back(arena.data() + begin, end - begin);
    begin = end;
  }
  std::vector<rdb::PinnableSlice> records(reads.size());
  std::vector<rdb::Status> statuses(reads.size());
  database_->db().MultiGet(options, database_->records(), keys.size(), keys.data(), records.data(),
                           statuses.data());
  for (const rdb::Status& status : statuses) {
    if (!status.IsNotFound()) STRATA_TRY(check(status, "read records"));
  }
  for (std::size_t i = 0; i < reads.size(); ++i) {
    if (statuses[i].IsNotFound()) {
      reads[i].info.reset();
      reads[i].value.clear();
    } else {
      STRATA_TRY(answer(reads[i], std::move(records[i]), sight, info_only));
    }
  }
  return {};
}

Result<> RocksdbEngine::answer(Read& read, rdb::PinnableSlice&& record, const Sight& sight,
                               bool info_only) const {
  Result<codec::RecordView> parsed =
      codec::parse_record(record.ToStringView(), codec::Checksum::none, read.key.key);
  if (!parsed) {
    return Error(parsed.error().code(), "rocksdb: the record of " + base::quote(read.key.key),
                 parsed.error());
  }
  read.info.reset();
  if (!sight.shows(parsed->info)) {
    read.value.clear();
    return {};
  }
  const std::size_t value_bytes = parsed->value.size();
  if (info_only) {
    read.value.clear();
  } else if (value_bytes <= kCopiedBytesMax) {
    read.value.assign(parsed->value);
  } else {
    // The bytes may move with the slice: find them again in the one that stays.
    auto pinned = std::make_shared<Pinned>(database_->cache(), std::move(record));
    BytesView bytes = pinned->record.ToStringView();
    bytes.remove_prefix(bytes.size() - value_bytes);
    read.value.pin(bytes, std::move(pinned));
  }
  read.info = std::move(parsed->info);
  return {};
}

}  // namespace strata::backends::rocksdb
