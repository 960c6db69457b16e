// The life of an LmdbEngine, and everything that reads.
#include "backends/lmdb/lmdb_engine.h"

#include <lmdb.h>

#include <algorithm>

#include "backends/lmdb/snapshot.h"
#include "backends/lmdb/writer.h"
#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::lmdb {

namespace {

/// Begins every cursor; behind it stands the last key that was looked at.
constexpr BytesView kCursorMark("l\x01", 2);
/// A step of scan_some that fetches values ends behind the record that reaches this.
constexpr std::uint64_t kStepBytesMax = 4ull * 1024 * 1024;

Span span_of(const Range& range) {
  Span span{{}, codec::physical_end(range.space, range.end)};
  codec::put_physical_key(span.begin, {range.space, range.begin});
  return span;
}

}  // namespace

LmdbSnapshot::~LmdbSnapshot() { engine_.release(*this); }

LmdbEngine::LmdbEngine(const Settings& settings, const Environment& environment)
    : settings_(settings),
      files_(environment.files),
      clock_(environment.clock),
      folder_(environment.folder),
      durability_(environment.durability == Durability::store_default ? Durability::interval
                                                                      : environment.durability),
      interval_ns_(environment.interval_ms * 1'000'000) {}

Result<std::unique_ptr<LmdbEngine>> LmdbEngine::open(const Settings& settings,
                                                     const Environment& environment) {
  std::unique_ptr<LmdbEngine> engine(new LmdbEngine(settings, environment));
  if (!settings.read_only) {
    STRATA_LET(engine->lock_, environment.files.lock_file(engine->folder_ + "/LOCK"));
  }
  STRATA_TRY(io::FolderSwap(environment.files, engine->map_folder()).recover(settings.read_only));
  STRATA_TRY(engine->open_map());
  return engine;
}

Result<> LmdbEngine::open_map() {
  const bool make = settings_.create && !settings_.read_only;
  if (make) STRATA_TRY(io::create_directories(files_, map_folder()));
  STRATA_LET(map_, MapEnvironment::open(map_folder(), settings_));
  // LMDB syncs its file, but not the names of a new one.
  if (make) STRATA_TRY(files_.sync_directory(map_folder()));
  synced_ns_.store(clock_.monotonic_ns(), std::memory_order_relaxed);
  return {};
}

LmdbEngine::~LmdbEngine() {
  const Result<> closed = close();
  static_cast<void>(closed);  // a destructor cannot report; close() does for who asks
}

Result<> LmdbEngine::close() {
  const base::ReaderGate::Alone alone(gate_);
  if (map_ == nullptr) return {};
  Result<> synced;
  if (!settings_.read_only) synced = map_->sync();
  close_map();
  lock_.reset();
  return synced;
}

void LmdbEngine::close_map() {
  {
    const base::MutexLock lock(snapshots_mutex_);
    for (LmdbSnapshot* snapshot : snapshots_) {
      const base::MutexLock of_snapshot(snapshot->mutex());
      mdb_txn_abort(snapshot->let_go());
    }
    snapshots_.clear();
  }
  reads_.clear();
  map_.reset();
}

Capability* LmdbEngine::find(CapabilityId id) noexcept {
  switch (id) {
    case CapabilityId::ordered:
      return static_cast<Ordered*>(this);
    case CapabilityId::atomic_batch:
      return static_cast<AtomicBatch*>(this);
    case CapabilityId::snapshots:
      return static_cast<Snapshots*>(this);
    case CapabilityId::persistence:
      return static_cast<Persistence*>(this);
    default:
      return nullptr;
  }
}

Limits LmdbEngine::limits() const { return {}; }

Result<> LmdbEngine::check_open() const {
  if (map_ == nullptr) return Error(Code::closed, "lmdb: the store is closed");
  return {};
}

Result<> LmdbEngine::check_writable() const {
  STRATA_TRY(check_open());
  if (settings_.read_only) {
    return Error(Code::not_supported, "lmdb: the store in " + folder_ + " is open read-only");
  }
  return {};
}

Result<> LmdbEngine::with_read(const Snapshot* at, ReadFunction function) {
  if (at != nullptr) return with_snapshot(*at, function);
  while (true) {
    STRATA_LET(const bool read, with_present(function));
    if (read) return {};
    const base::ReaderGate::Alone alone(gate_);
    STRATA_TRY(check_open());
    STRATA_TRY(map_->adopt_growth());
  }
}

// False: another process has made the map larger.
Result<bool> LmdbEngine::with_present(ReadFunction function) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  STRATA_LET(const std::optional<MDB_txn*> txn, reads_.take(*map_));
  if (!txn) return false;
  const Transaction transaction(*map_, *txn);
  const Result<> outcome = function(Sight{transaction, clock_.wall_ms()});
  reads_.give_back(*txn);
  STRATA_TRY(outcome);
  return true;
}

Result<> LmdbEngine::with_snapshot(const Snapshot& at, ReadFunction function) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  const auto* snapshot = dynamic_cast<const LmdbSnapshot*>(&at);
  if (snapshot == nullptr || &snapshot->engine() != this) {
    return Error(Code::invalid_argument, "lmdb: the snapshot is not of this engine");
  }
  const base::MutexLock lock(snapshot->mutex());
  if (snapshot->txn() == nullptr) return Error(Code::closed, "lmdb: the snapshot was closed");
  const Transaction transaction(*map_, snapshot->txn());
  return function(Sight{transaction, snapshot->time_ms()});
}

Result<> LmdbEngine::mget(std::span<Read> reads, const ReadOptions& options) {
  return with_read(options.at, [&](const Sight& sight) -> Result<> {
    for (Read& read : reads) {
      read.info.reset();
      STRATA_LET(std::optional<codec::RecordView> record, find_record(sight.txn, read.key));
      if (!record || !sight.shows(record->info)) {
        read.value.clear();
        continue;
      }
      // Copied: a share of the map would keep it from growing and its pages from new use.
      read.value.assign(options.info_only ? BytesView{} : record->value);
      read.info = std::move(record->info);
    }
    return {};
  });
}

Result<> LmdbEngine::scan(const Range& range, const ScanOptions& options, ScanPage& page) {
  page.clear();
  if (!range.end.empty() && range.end <= range.begin) return {};
  return with_read(options.at, [&](const Sight& sight) {
    page.clear();
    return walk(sight.txn, span_of(range), options.reverse, options.page_records,
                [&](const Found& found) -> Result<bool> {
                  if (page.size() >= options.page_records || page.bytes() >= options.page_bytes) {
                    page.set_more(true);
                    return false;
                  }
                  if (!sight.shows(found.record.info)) return true;
                  page.add(found.key(), options.keys_only ? BytesView{} : found.record.value,
                           found.record.info);
                  return true;
                });
  });
}

Result<> LmdbEngine::scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                               ScanPage& page) {
  page.clear();
  Range range = Range::prefix(space, options.prefix);
  if (!cursor.empty()) {
    if (!BytesView(cursor).starts_with(kCursorMark) ||
        cursor.size() > kCursorMark.size() + kKeyBytesMax) {
      return Error(Code::invalid_argument, "lmdb: the cursor is not one of this engine");
    }
    // The smallest key behind the last one that was looked at.
    Bytes next = cursor.substr(kCursorMark.size());
    next.push_back('\0');
    range.begin = std::max(range.begin, next);
  }
  Bytes next_cursor;
  if (range.end.empty() || range.begin < range.end) {
    STRATA_TRY(with_read(options.at, [&](const Sight& sight) {
      page.clear();
      std::uint64_t looked_at = 0;
      return walk(sight.txn, span_of(range), false, options.count,
                  [&](const Found& found) -> Result<bool> {
                    if (sight.shows(found.record.info)) {
                      page.add(found.key(), options.keys_only ? BytesView{} : found.record.value,
                               found.record.info);
                    }
                    if (++looked_at < options.count && page.bytes() < kStepBytesMax) return true;
                    next_cursor.append(kCursorMark).append(found.key());
                    return false;
                  });
    }));
  }
  cursor = std::move(next_cursor);
  return {};
}

Result<std::uint64_t> LmdbEngine::count(Keyspace space) {
  std::uint64_t count = 0;
  STRATA_TRY(with_read(nullptr, [&](const Sight& sight) -> Result<> {
    STRATA_LET(const std::uint64_t stored, stored_count(sight.txn, space));
    STRATA_LET(const std::uint64_t gone, stored_expired(sight.txn, sight.now_ms, space));
    if (gone > stored) {
      return Error(Code::corruption, "lmdb: the expiry index holds more records than there are");
    }
    count = stored - gone;
    return {};
  }));
  return count;
}

Result<std::unique_ptr<Snapshot>> LmdbEngine::snapshot() {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  MDB_txn* txn = nullptr;
  STRATA_TRY(check(mdb_txn_begin(map_->handle(), nullptr, MDB_RDONLY, &txn), "take a snapshot"));
  const Result<Version> version = stored_version(Transaction(*map_, txn));
  if (!version) {
    mdb_txn_abort(txn);
    return version.error();
  }
  auto snapshot = std::make_unique<LmdbSnapshot>(*this, txn, *version, clock_.wall_ms());
  const base::MutexLock lock(snapshots_mutex_);
  snapshots_.insert(snapshot.get());
  return snapshot;
}

void LmdbEngine::release(LmdbSnapshot& snapshot) {
  const base::MutexLock lock(snapshots_mutex_);
  if (snapshots_.erase(&snapshot) == 0) return;  // the engine was closed first
  const base::MutexLock of_snapshot(snapshot.mutex());
  mdb_txn_abort(snapshot.let_go());
}

std::uint64_t LmdbEngine::open_snapshots() const {
  const base::MutexLock lock(snapshots_mutex_);
  return snapshots_.size();
}

Stats LmdbEngine::stats() {
  Stats stats;
  const Result<> read = with_read(nullptr, [&](const Sight& sight) -> Result<> {
    STRATA_LET(const std::uint64_t stored, stored_count_of_users(sight.txn));
    STRATA_LET(const std::uint64_t gone, stored_expired(sight.txn, sight.now_ms, std::nullopt));
    stats.keys = stored - std::min(stored, gone);
    MDB_stat figures{};
    STRATA_TRY(check(mdb_stat(sight.txn.handle(), map_->records(), &figures), "read figures"));
    stats.bytes_live = (figures.ms_leaf_pages + figures.ms_overflow_pages) * figures.ms_psize;
    stats.bytes_disk = map_->used_bytes();
    const auto more = [&](const char* name, std::uint64_t value) {
      stats.more.push_back({name, static_cast<double>(value)});
    };
    more("map_bytes", map_->map_bytes());
    more("tree_depth", figures.ms_depth);
    more("leaf_pages", figures.ms_leaf_pages);
    more("overflow_pages", figures.ms_overflow_pages);
    return {};
  });
  if (!read) return {};
  stats.snapshots = open_snapshots();
  return stats;
}

}  // namespace strata::backends::lmdb
