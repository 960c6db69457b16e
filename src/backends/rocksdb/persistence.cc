// Checkpoints: the store's files in another folder, and back.
//
//   <folder>/db       the RocksDB; in a checkpoint, too, which therefore opens as a store
//   <folder>/db.new   a checkpoint that is being copied in
//   <folder>/db.old   what was there before, until the new one is open
#include <rocksdb/db.h>
#include <rocksdb/utilities/checkpoint.h>

#include "backends/rocksdb/rocksdb_engine.h"
#include "backends/rocksdb/status.h"
#include "io/file_system.h"
#include "io/files.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

constexpr std::size_t kCopyBytes = 1024 * 1024;

Result<std::uint64_t> copy_file(io::FileSystem& files, const std::string& from,
                                const std::string& to) {
  STRATA_LET(const std::unique_ptr<io::File> source, files.open(from, io::OpenMode::read));
  STRATA_LET(const std::unique_ptr<io::File> target, files.open(to, io::OpenMode::create_new));
  Bytes buffer(kCopyBytes, '\0');
  std::uint64_t offset = 0;
  while (true) {
    STRATA_LET(const std::size_t bytes, source->pread(offset, buffer));
    if (bytes == 0) break;
    STRATA_TRY(target->append(BytesView(buffer).substr(0, bytes)));
    offset += bytes;
  }
  STRATA_TRY(target->sync());
  STRATA_TRY(target->close());
  return offset;
}

Result<std::vector<std::string>> names_in(io::FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  STRATA_TRY(files.list_directory(folder, [&](std::string_view name, io::FileKind) {
    names.emplace_back(name);
    return true;
  }));
  return names;
}

Result<std::uint64_t> bytes_in(io::FileSystem& files, const std::string& folder) {
  STRATA_LET(const std::vector<std::string> names, names_in(files, folder));
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    STRATA_LET(const std::optional<io::FileInfo> info, files.stat(folder + "/" + name));
    if (info) bytes += info->bytes;
  }
  return bytes;
}

Result<> copy_folder(io::FileSystem& files, const std::string& from, const std::string& to) {
  STRATA_TRY(files.create_directory(to));
  STRATA_LET(const std::vector<std::string> names, names_in(files, from));
  for (const std::string& name : names) {
    if (name == "LOCK" || name.starts_with("LOG")) continue;  // not part of the data
    STRATA_TRY(copy_file(files, from + "/" + name, to + "/" + name));
  }
  return files.sync_directory(to);
}

}  // namespace

std::string RocksdbEngine::database_folder() const { return folder_ + "/db"; }

// A restore that a crash cut short is taken back: it had not returned.
Result<> RocksdbEngine::finish_restore() {
  const std::string old = database_folder() + ".old";
  STRATA_LET(const auto now, files_.stat(database_folder()));
  STRATA_LET(const auto before, files_.stat(old));
  if (!now && before) {
    if (settings_.read_only) {
      return Error(Code::unavailable, "rocksdb: a restore of " + folder_ +
                                          " was interrupted; open it once for writing first");
    }
    STRATA_TRY(files_.rename(old, database_folder()));
    STRATA_TRY(files_.sync_directory(folder_));
  }
  if (settings_.read_only) return {};
  STRATA_TRY(io::remove_all(files_, old));
  return io::remove_all(files_, database_folder() + ".new");
}

Result<Checkpoint> RocksdbEngine::checkpoint(const std::string& folder) {
  return try_rocks([&]() -> Result<Checkpoint> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    if (settings_.read_only) {
      return Error(Code::not_supported,
                   "rocksdb: a store that is open read-only takes no checkpoints");
    }
    STRATA_TRY(io::create_directories(files_, folder));
    STRATA_LET(const std::vector<std::string> names, names_in(files_, folder));
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
    STRATA_LET(done.bytes, bytes_in(files_, folder + "/db"));
    return done;
  });
}

Result<Checkpoint> RocksdbEngine::restore(const std::string& folder) {
  return try_rocks([&]() -> Result<Checkpoint> {
    const base::MutexLock one_at_a_time(restore_mutex_);
    const std::string from = folder + "/db";
    const std::string fresh = database_folder() + ".new";
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
    STRATA_TRY(io::remove_all(files_, fresh));
    STRATA_TRY(copy_folder(files_, from, fresh));
    Checkpoint done;
    STRATA_LET(done.bytes, bytes_in(files_, fresh));
    STRATA_TRY(exchange(fresh));
    done.version = versions_.now();
    done.time_ms = clock_.wall_ms();
    return done;
  });
}

// Puts the RocksDB in `fresh` in the place of the present one; on an error the latter is back.
Result<> RocksdbEngine::exchange(const std::string& fresh) {
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
  const std::string old = database_folder() + ".old";
  STRATA_TRY(close_database());
  const auto swap = [&]() -> Result<> {
    STRATA_TRY(files_.rename(database_folder(), old));
    STRATA_TRY(files_.rename(fresh, database_folder()));
    STRATA_TRY(files_.sync_directory(folder_));
    return open_database(reached);
  };
  const Result<> swapped = swap();
  if (swapped) return io::remove_all(files_, old);
  // Back to where we were. Only what the failed attempt has put there is removed.
  database_.reset();
  STRATA_LET(const auto before, files_.stat(old));
  if (before) {
    STRATA_TRY(io::remove_all(files_, database_folder()));
    STRATA_TRY(files_.rename(old, database_folder()));
    STRATA_TRY(files_.sync_directory(folder_));
  }
  STRATA_TRY(open_database(reached));
  return swapped;
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
