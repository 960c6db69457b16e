// Checkpoints: the store's files in another folder, and back.
//
// The RocksDB lies in <folder>/db; in a checkpoint, too, which therefore opens as a store.
#include <rocksdb/db.h>
#include <rocksdb/utilities/checkpoint.h>

#include "backends/rocksdb/rocksdb_engine.h"
#include "backends/rocksdb/status.h"
#include "io/file_system.h"
#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

Result<> copy_folder(io::FileSystem& files, const std::string& from, const std::string& to) {
  STRATA_TRY(files.create_directory(to));
  STRATA_LET(const std::vector<std::string> names, io::names_in(files, from));
  for (const std::string& name : names) {
    if (name == "LOCK" || name.starts_with("LOG")) continue;  // not part of the data
    STRATA_TRY(io::copy_file(files, from + "/" + name, to + "/" + name));
  }
  return files.sync_directory(to);
}

}  // namespace

std::string RocksdbEngine::database_folder() const { return folder_ + "/db"; }

Result<Checkpoint> RocksdbEngine::checkpoint(const std::string& folder) {
  return try_rocks([&]() -> Result<Checkpoint> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    if (settings_.read_only) {
      return Error(Code::not_supported,
                   "rocksdb: a store that is open read-only takes no checkpoints");
    }
    STRATA_TRY(io::create_directories(files_, folder));
    STRATA_LET(const std::vector<std::string> names, io::names_in(files_, folder));
    if (!names.empty()) {
      return Error(Code::invalid_argument,
                   "rocksdb: the folder for a checkpoint, " + folder + ", is not empty");
    }
    rdb::Checkpoint* made = nullptr;
    STRATA_TRY(check(rdb::Checkpoint::Create(&database_->db(), &made), "begin a checkpoint"));
    const std::unique_ptr<rdb::Checkpoint> maker(made);
    // Flushed while commits go on, so that little of the log is left to copy while they wait.
    STRATA_TRY(check(
        database_->db().Flush(rdb::FlushOptions(),
                              {database_->meta(), database_->records(), database_->expiries()}),
        "flush for a checkpoint"));
    Checkpoint done;
    {
      KeyLocks::Held all(locks_);
      all.name_all();
      all.take();
      done.version = versions_.now();
      done.time_ms = clock_.wall_ms();
      constexpr std::uint64_t kNeverFlush = UINT64_MAX;
      STRATA_TRY(check(maker->CreateCheckpoint(folder + "/db", kNeverFlush),
                       "write a checkpoint to " + folder));
    }
    STRATA_TRY(files_.sync_directory(folder));
    STRATA_LET(done.bytes, io::bytes_in(files_, folder + "/db"));
    return done;
  });
}

Result<Checkpoint> RocksdbEngine::restore(const std::string& folder) {
  return try_rocks([&]() -> Result<Checkpoint> {
    const base::MutexLock one_at_a_time(restore_mutex_);
    const std::string from = folder + "/db";
    {
      const base::ReaderGate::Pass pass(gate_);
      STRATA_TRY(check_writable());
      Settings looking = settings_;
      looking.read_only = true;
      looking.create = false;
      STRATA_LET(const std::unique_ptr<Database> whole, Database::open(from, looking));
      Counts counts;
      STRATA_TRY(counts.load(*whole));
    }
    io::FolderSwap swap(files_, database_folder());
    STRATA_TRY(swap.begin());
    STRATA_TRY(copy_folder(files_, from, swap.fresh()));
    Checkpoint done;
    STRATA_LET(done.bytes, io::bytes_in(files_, swap.fresh()));
    STRATA_TRY(exchange(swap));
    done.version = versions_.now();
    done.time_ms = clock_.wall_ms();
    return done;
  });
}

// Puts the RocksDB that was copied in the place of the present one; on an error the latter is back.
Result<> RocksdbEngine::exchange(io::FolderSwap& swap) {
  const base::ReaderGate::Alone alone(gate_);
  STRATA_TRY(check_writable());
  {
    const base::MutexLock lock(snapshots_mutex_);
    if (!snapshots_.empty()) {
      return Error(Code::busy, "rocksdb: " + std::to_string(snapshots_.size()) +
                                   " snapshots are open; a restore would pull the store from "
                                   "under them");
    }
  }
  const Version reached = versions_.now();
  STRATA_TRY(close_database());
  const auto take = [&]() -> Result<> {
    STRATA_TRY(swap.swap());
    return open_database(reached);
  };
  const Result<> taken = take();
  if (taken) {
    STRATA_TRY(swap.confirm());
    swap.clean();
    return {};
  }
  database_.reset();
  STRATA_TRY(swap.undo());
  STRATA_TRY(open_database(reached));
  return taken;
}

Result<> RocksdbEngine::compact() {
  return try_rocks([&]() -> Result<> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_writable());
    rdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.bottommost_level_compaction = rdb::BottommostLevelCompaction::kForceOptimized;
    options.blob_garbage_collection_policy = rdb::BlobGarbageCollectionPolicy::kForce;
    options.blob_garbage_collection_age_cutoff = 1.0;
    for (rdb::ColumnFamilyHandle* family :
         {database_->meta(), database_->records(), database_->expiries()}) {
      STRATA_TRY(check(database_->db().CompactRange(options, family, nullptr, nullptr),
                       "compact the store"));
    }
    return {};
  });
}

}  // namespace strata::backends::rocksdb
