// Checkpoints and compaction: both are copies without free pages; compaction puts its copy in
// the place of the store.
#include "backends/lmdb/lmdb_engine.h"
#include "backends/lmdb/writer.h"
#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::lmdb {

namespace {

constexpr const char* kDataName = "/data.mdb";

Result<> sync_copy(io::FileSystem& files, const std::string& folder) {
  STRATA_LET(const std::unique_ptr<io::File> file,
             files.open(folder + kDataName, io::OpenMode::read_write));
  STRATA_TRY(file->sync());
  STRATA_TRY(file->close());
  return files.sync_directory(folder);
}

// What version an environment that nobody writes to holds; fails where it is none of ours.
Result<Version> look_into(const std::string& folder, const Settings& settings) {
  Settings looking = settings;
  looking.read_only = true;
  looking.create = false;
  STRATA_LET(const std::unique_ptr<MapEnvironment> map, MapEnvironment::open(folder, looking));
  ReadPool reads;
  STRATA_LET(const std::optional<MDB_txn*> txn, reads.take(*map));
  if (!txn) return Error(Code::busy, "lmdb: " + folder + " is being written to");
  const Result<Version> version = stored_version(Transaction(*map, *txn));
  reads.give_back(*txn);
  reads.clear();
  return version;
}

}  // namespace

Result<Checkpoint> LmdbEngine::checkpoint(const std::string& folder) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  STRATA_TRY(io::create_directories(files_, folder));
  STRATA_LET(const std::vector<std::string> names, io::names_in(files_, folder));
  if (!names.empty()) {
    return Error(Code::invalid_argument,
                 "lmdb: the folder for a checkpoint, " + folder + ", is not empty");
  }
  const std::string to = folder + "/db";
  STRATA_TRY(io::create_directories(files_, to));
  Checkpoint done;
  done.time_ms = clock_.wall_ms();
  STRATA_TRY(map_->copy_to(to));
  STRATA_TRY(sync_copy(files_, to));
  STRATA_LET(done.version, look_into(to, settings_));
  STRATA_LET(done.bytes, io::bytes_in(files_, to));
  return done;
}

Result<Checkpoint> LmdbEngine::restore(const std::string& folder) {
  const base::MutexLock lock(writer_mutex_);
  {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_writable());
  }
  STRATA_TRY(look_into(folder + "/db", settings_));
  io::FolderSwap swap(files_, map_folder());
  STRATA_TRY(swap.begin());
  STRATA_TRY(io::create_directories(files_, swap.fresh()));
  Checkpoint done;
  STRATA_LET(done.bytes,
             io::copy_file(files_, folder + "/db" + kDataName, swap.fresh() + kDataName));
  STRATA_TRY(files_.sync_directory(swap.fresh()));
  STRATA_TRY(exchange(swap));
  done.time_ms = clock_.wall_ms();
  STRATA_TRY(with_read(nullptr, [&](const Sight& sight) -> Result<> {
    STRATA_LET(done.version, stored_version(sight.txn));
    return {};
  }));
  return done;
}

Result<> LmdbEngine::compact() {
  const base::MutexLock lock(writer_mutex_);  // nobody writes between copy and exchange
  io::FolderSwap swap(files_, map_folder());
  {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_writable());
    STRATA_TRY(swap.begin());
    STRATA_TRY(io::create_directories(files_, swap.fresh()));
    STRATA_TRY(map_->copy_to(swap.fresh()));
    STRATA_TRY(sync_copy(files_, swap.fresh()));
  }
  return exchange(swap);
}

// Opens the fresh environment in the place of the present one; on an error the latter is back.
// Versions go on from the present, whatever the fresh one has come to.
Result<> LmdbEngine::exchange(io::FolderSwap& swap) {
  Version reached;
  STRATA_TRY(with_read(nullptr, [&](const Sight& sight) -> Result<> {
    STRATA_LET(reached, stored_version(sight.txn));
    return {};
  }));
  {
    const base::ReaderGate::Alone alone(gate_);
    STRATA_TRY(check_writable());
    const std::uint64_t snapshots = open_snapshots();
    if (snapshots != 0) {
      return Error(Code::busy, "lmdb: " + std::to_string(snapshots) +
                                   " snapshots are open; the store would be pulled from under "
                                   "them");
    }
    STRATA_TRY(map_->sync());
    close_map();
    const auto take = [&]() -> Result<> {
      STRATA_TRY(swap.swap());
      return open_map();
    };
    const Result<> taken = take();
    if (!taken) {
      map_.reset();
      STRATA_TRY(swap.undo());
      STRATA_TRY(open_map());
      return taken;
    }
    STRATA_TRY(swap.confirm());
    swap.clean();
  }
  return write([&](Writer& writer) -> Result<> {
    writer.raise_version(reached);
    return {};
  });
}

}  // namespace strata::backends::lmdb
