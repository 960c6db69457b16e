// The life of a RocksdbEngine: opening, closing, snapshots, upkeep, figures.
#include "backends/rocksdb/rocksdb_engine.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include "backends/rocksdb/snapshot.h"
#include "backends/rocksdb/status.h"
#include "io/file_system.h"
#include "io/folder_swap.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

RocksdbSnapshot::RocksdbSnapshot(RocksdbEngine& engine, const rdb::Snapshot* held, Version version,
                                 std::int64_t time_ms)
    : engine_(engine), held_(held), version_(version), time_ms_(time_ms) {}

RocksdbSnapshot::~RocksdbSnapshot() { engine_.release(*this); }

RocksdbEngine::RocksdbEngine(const Settings& settings, const Environment& environment)
    : settings_(settings),
      files_(environment.files),
      clock_(environment.clock),
      folder_(environment.folder),
      durability_(environment.durability == Durability::store_default ? Durability::interval
                                                                      : environment.durability),
      interval_ns_(environment.interval_ms * 1'000'000) {}

Result<std::unique_ptr<RocksdbEngine>> RocksdbEngine::open(const Settings& settings,
                                                           const Environment& environment) {
  return try_rocks([&]() -> Result<std::unique_ptr<RocksdbEngine>> {
    std::unique_ptr<RocksdbEngine> engine(new RocksdbEngine(settings, environment));
    STRATA_TRY(
        io::FolderSwap(environment.files, engine->database_folder()).recover(settings.read_only));
    STRATA_TRY(engine->open_database(Version{}));
    engine->readers_ = std::make_unique<base::ThreadPool>(
        base::ThreadPoolOptions{.name = "strata-read", .threads_max = settings.read_threads});
    return engine;
  });
}

Result<> RocksdbEngine::open_database(Version at_least) {
  STRATA_LET(database_, Database::open(database_folder(), settings_));
  STRATA_TRY(counts_.load(*database_));
  STRATA_TRY(versions_.load(*database_, at_least));
  synced_ns_.store(clock_.monotonic_ns(), std::memory_order_relaxed);
  return load_earliest_expiry();
}

RocksdbEngine::~RocksdbEngine() {
  const Result<> closed = close();
  static_cast<void>(closed);  // a destructor cannot report; close() does for who asks
}

Result<> RocksdbEngine::close() {
  readers_.reset();  // ends when the reads that were started have been answered
  return try_rocks([&]() -> Result<> {
    const base::ReaderGate::Alone alone(gate_);
    if (database_ == nullptr) return {};
    return close_database();
  });
}

Result<> RocksdbEngine::close_database() {
  {
    const base::MutexLock lock(snapshots_mutex_);
    for (RocksdbSnapshot* snapshot : snapshots_) {
      database_->db().ReleaseSnapshot(snapshot->held());
      snapshot->let_go();
    }
    snapshots_.clear();
  }
  Result<> synced;
  if (!settings_.read_only) synced = database_->sync();
  const Result<> closed = database_->close();
  database_.reset();
  return synced ? closed : synced;
}

Capability* RocksdbEngine::find(CapabilityId id) noexcept {
  switch (id) {
    case CapabilityId::ordered:
      return static_cast<Ordered*>(this);
    case CapabilityId::atomic_batch:
      return static_cast<AtomicBatch*>(this);
    case CapabilityId::snapshots:
      return static_cast<Snapshots*>(this);
    case CapabilityId::persistence:
      return static_cast<Persistence*>(this);
    case CapabilityId::async_reads:
      return static_cast<AsyncReads*>(this);
    default:
      return nullptr;
  }
}

Limits RocksdbEngine::limits() const { return {}; }

Result<> RocksdbEngine::check_open() const {
  if (database_ == nullptr) return Error(Code::closed, "rocksdb: the store is closed");
  return {};
}

Result<> RocksdbEngine::check_writable() const {
  STRATA_TRY(check_open());
  if (settings_.read_only) {
    return Error(Code::not_supported, "rocksdb: the store in " + folder_ + " is open read-only");
  }
  return {};
}

Result<RocksdbEngine::Sight> RocksdbEngine::sight_of(const Snapshot* at) const {
  if (at == nullptr) return Sight{nullptr, clock_.wall_ms()};
  const auto* snapshot = dynamic_cast<const RocksdbSnapshot*>(at);
  if (snapshot == nullptr || &snapshot->engine() != this || snapshot->held() == nullptr) {
    return Error(Code::invalid_argument, "rocksdb: the snapshot is not of this engine");
  }
  return Sight{snapshot->held(), snapshot->time_ms()};
}

rdb::ReadOptions RocksdbEngine::read_options(const Sight& sight) const {
  rdb::ReadOptions options;
  options.snapshot = sight.snapshot;
  return options;
}

IteratorPtr RocksdbEngine::iterate(const rdb::ReadOptions& options) const {
  return IteratorPtr(database_->db().NewIterator(options, database_->records()));
}

Result<std::unique_ptr<Snapshot>> RocksdbEngine::snapshot() {
  return try_rocks([&]() -> Result<std::unique_ptr<Snapshot>> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    // With all key locks no commit is between taking its version and being seen, so what RocksDB
    // shows from here on is exactly the versions given out so far.
    KeyLocks::Held all(locks_);
    all.name_all();
    all.take();
    auto snapshot = std::make_unique<RocksdbSnapshot>(*this, database_->db().GetSnapshot(),
                                                      versions_.now(), clock_.wall_ms());
    all.release();
    const base::MutexLock lock(snapshots_mutex_);
    snapshots_.insert(snapshot.get());
    return snapshot;
  });
}

void RocksdbEngine::release(RocksdbSnapshot& snapshot) {
  const base::MutexLock lock(snapshots_mutex_);
  if (snapshots_.erase(&snapshot) == 0) return;  // the engine was closed first
  database_->db().ReleaseSnapshot(snapshot.held());
}

Result<> RocksdbEngine::sync_interval() {
  const std::int64_t now = clock_.monotonic_ns();
  std::int64_t last = synced_ns_.load(std::memory_order_relaxed);
  if (now - last < interval_ns_ || !unsynced_.load(std::memory_order_relaxed)) return {};
  if (!synced_ns_.compare_exchange_strong(last, now, std::memory_order_relaxed)) return {};
  unsynced_.store(false, std::memory_order_relaxed);
  return database_->sync();
}

Result<Maintenance> RocksdbEngine::maintain(std::uint32_t records) {
  return try_rocks([&]() -> Result<Maintenance> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    Maintenance done;
    if (settings_.read_only) return done;
    STRATA_TRY(sync_interval());
    const base::MutexLock lock(sweep_mutex_);
    STRATA_LET(done.expired, sweep(records, done.more));
    return done;
  });
}

Stats RocksdbEngine::stats() {
  Stats stats;
  const base::ReaderGate::Pass pass(gate_);
  if (database_ == nullptr) return stats;
  const auto figure = [&](const std::string& name) {
    std::uint64_t sum = 0;
    if (!database_->db().GetAggregatedIntProperty(name, &sum)) sum = 0;
    return sum;
  };
  const Result<std::uint64_t> gone = try_rocks([&] {
    const base::MutexLock lock(sweep_mutex_);
    return expired(std::nullopt);
  });
  const std::uint64_t stored = counts_.users();
  stats.keys = stored - std::min(stored, gone.value_or(0));
  stats.bytes_live = figure(rdb::DB::Properties::kEstimateLiveDataSize) +
                     figure(rdb::DB::Properties::kLiveBlobFileSize) +
                     figure(rdb::DB::Properties::kCurSizeActiveMemTable);
  stats.bytes_memory = database_->cache()->GetUsage() +
                       figure(rdb::DB::Properties::kSizeAllMemTables) +
                       figure(rdb::DB::Properties::kEstimateTableReadersMem);
  stats.bytes_disk = figure(rdb::DB::Properties::kTotalSstFilesSize) +
                     figure(rdb::DB::Properties::kTotalBlobFileSize);
  {
    const base::MutexLock lock(snapshots_mutex_);
    stats.snapshots = snapshots_.size();
  }
  const auto more = [&](const char* name, std::uint64_t value) {
    stats.more.push_back({name, static_cast<double>(value)});
  };
  more("cache_bytes", database_->cache()->GetUsage());
  more("memtable_bytes", figure(rdb::DB::Properties::kSizeAllMemTables));
  more("compaction_pending_bytes", figure(rdb::DB::Properties::kEstimatePendingCompactionBytes));
  more("running_compactions", figure(rdb::DB::Properties::kNumRunningCompactions));
  more("background_errors", figure(rdb::DB::Properties::kBackgroundErrors));
  return stats;
}

}  // namespace strata::backends::rocksdb
