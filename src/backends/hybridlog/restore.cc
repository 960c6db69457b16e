// Restore: a checkpoint's folder in the place of the store's own.
#include <fmt/format.h>

#include "backends/hybridlog/hybridlog_engine.h"
#include "backends/hybridlog/recovery.h"
#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::hybridlog {

namespace {

// Files and one floor of folders below, durably but for the folder's own name.
Result<std::uint64_t> copy_tree(io::FileSystem& files, const std::string& from,
                                const std::string& to) {
  STRATA_TRY(io::create_directories(files, to));
  STRATA_LET(const std::vector<std::string> names, io::names_in(files, from));
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    const std::string source = io::join_path(from, name);
    const std::string target = io::join_path(to, name);
    STRATA_LET(const std::optional<io::FileInfo> info, files.stat(source));
    if (info && info->kind == io::FileKind::directory) {
      STRATA_LET(const std::uint64_t below, copy_tree(files, source, target));
      bytes += below;
    } else {
      STRATA_LET(const std::uint64_t copied, io::copy_file(files, source, target));
      bytes += copied;
    }
  }
  STRATA_TRY(files.sync_directory(to));
  return bytes;
}

}  // namespace

Result<Checkpoint> HybridlogEngine::restore(const std::string& folder) {
  const base::MutexLock one_at_a_time(restore_mutex_);
  const std::string from = folder + "/db";
  {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_writable());
    std::string said;
    STRATA_LET(const std::optional<Manifest> manifest, read_newest_manifest(files_, from, &said));
    if (!manifest) {
      return Error(Code::invalid_argument, "hybridlog: there is no checkpoint in " + folder);
    }
    // Every segment is read and checked before anything of ours is touched.
    STRATA_LET(const auto segments, open_segments(files_, from, *manifest));
    for (const std::shared_ptr<Segment>& segment : segments) {
      STRATA_TRY(check_segment(*segment, std::uint64_t{1} << manifest->frame_bits));
    }
  }
  io::FolderSwap swap(files_, folder_);
  STRATA_TRY(swap.begin());
  // The copy takes room that a full disk has not.
  const auto give_up = [&swap](Error why) {
    static_cast<void>(swap.begin().has_value());
    return why;
  };
  Checkpoint done;
  const Result<std::uint64_t> copied = copy_tree(files_, from, swap.fresh());
  if (!copied) return give_up(copied.error());
  done.bytes = *copied;
  const Alone alone(*this);
  if (const Result<> writable = check_writable(); !writable) return give_up(writable.error());
  {
    const base::MutexLock lock(snapshots_mutex_);
    if (!snapshots_.empty()) {
      return give_up(Error(Code::busy,
                           fmt::format("hybridlog: {} snapshots are open; a restore would pull the "
                                       "store from under them",
                                       snapshots_.size())));
    }
  }
  // What there is now is what a restore that fails comes back to.
  upkeep_->stop();
  const Result<Checkpoint> saved = checkpointer_->take_last();
  if (!saved) {
    if (options_.upkeep_thread) STRATA_TRY(upkeep_->start_thread());
    return give_up(saved.error());
  }
  const std::uint64_t reached = parts_->clock.now();
  closed_ = true;  // until a start has worked: there is nothing behind the gate meanwhile
  static_cast<void>(stop(false).has_value());
  const auto take = [&]() -> Result<> {
    STRATA_TRY(swap.swap());
    STRATA_TRY(start(reached));
    done.version = Version{parts_->clock.raise()};
    done.time_ms = clock_.wall_ms();
    // The versions go on above what was there, in the next life, too.
    const Result<Checkpoint> first = checkpointer_->take();
    return first ? swap.confirm() : Result<>(first.error());
  };
  const Result<> taken = take();
  if (!taken) {
    static_cast<void>(stop(false).has_value());
    STRATA_TRY(swap.undo());
    STRATA_TRY(start(reached));
  }
  closed_ = false;
  if (!taken) return taken.error();
  swap.clean();
  return done;
}

}  // namespace strata::backends::hybridlog
