#include "backends/hybridlog/checkpoint.h"

#include <algorithm>
#include <utility>

#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::hybridlog {

Checkpointer::Checkpointer(Parts& parts, std::string folder, const Manifest& newest)
    : parts_(parts), folder_(std::move(folder)), manifest_(newest) {
  last_time_ms_ = newest.time_ms;
}

Result<Checkpoint> Checkpointer::take() {
  const base::MutexLock turn(one_at_a_time_);
  return take_locked(false);
}

Result<Checkpoint> Checkpointer::take_last() {
  const base::MutexLock turn(one_at_a_time_);
  return take_locked(true);
}

Result<Checkpoint> Checkpointer::take_locked(bool last) {
  // Cleared first: what is written from here on may be in it or not.
  parts_.dirty.store(false);
  Before before;
  std::optional<VersionClock::Pin> pin;
  {
    // Together: what compaction takes apart after the pin is still named by this checkpoint.
    const base::MutexLock lock(parts_.upkeep_mutex);
    const base::MutexLock own(mutex_);
    pin = parts_.clock.begin();
    before.begin = parts_.log.begin();
    before.gone.swap(gone_);
    before.dead = parts_.extents->dead_mark();
    parts_.checkpoint_writes = pin.has_value();
  }
  if (!pin) return Error(Code::busy, "hybridlog: too many snapshots are open");
  const std::int64_t time_ms = parts_.time.wall_ms();
  std::uint64_t end = 0;
  std::uint64_t clock = 0;
  const auto write = [&]() -> Result<> {
    parts_.epoch.wait(parts_.epoch.turn());
    {
      const base::MutexLock lock(parts_.upkeep_mutex);
      STRATA_LET(end, parts_.log.seal());
    }
    clock = last ? pin->version : parts_.clock.now();
    while (parts_.log.flushed() < end) {
      const base::MutexLock lock(parts_.upkeep_mutex);
      STRATA_TRY(parts_.log.flush(std::min(end, parts_.log.flushed() + parts_.log.frame_bytes())));
    }
    return parts_.extents->sync();
  };
  Result<> written = write();
  {
    const base::MutexLock lock(parts_.upkeep_mutex);
    parts_.checkpoint_writes = false;
  }
  if (written) written = publish(*pin, before, end, clock, time_ms);
  parts_.clock.end(*pin);
  if (!written) {
    parts_.dirty.store(true);
    const base::MutexLock own(mutex_);
    gone_.insert(gone_.end(), before.gone.begin(), before.gone.end());
    return written.error();
  }
  return Checkpoint{Version{pin->version}, time_ms,
                    parts_.log.bytes_on_disk() + parts_.extents->bytes_disk()};
}

Result<> Checkpointer::publish(const VersionClock::Pin& pin, Before& before, std::uint64_t end,
                               std::uint64_t clock, std::int64_t time_ms) {
  std::vector<std::shared_ptr<Segment>> segments;
  {
    const base::MutexLock lock(parts_.upkeep_mutex);
    const base::MutexLock own(mutex_);
    segments = parts_.log.segments();
    segments.insert(segments.end(), gone_.begin(), gone_.end());
    last_time_ms_ = time_ms;
  }
  std::ranges::sort(segments, {}, [](const auto& segment) { return segment->number(); });
  Manifest next = manifest_;
  ++next.generation;
  next.version = pin.version;
  next.clock = clock;
  next.time_ms = time_ms;
  next.begin = before.begin;
  next.next_segment =
      (end >> parts_.log.segment_bits()) + (end % parts_.log.segment_bytes() == 0 ? 0u : 1u);
  next.next_extent = parts_.extents->next_id();
  // Read after the seal: records below it were linked before.
  next.index_bits = static_cast<std::uint8_t>(parts_.index->bits_max());
  next.segments.clear();
  for (const std::shared_ptr<Segment>& segment : segments) {
    if (segment->first() >= end || !segment->sealed() || segment->data_bytes() == 0) continue;
    next.segments.push_back({segment->number(), segment->data_bytes()});
  }
  // A void ends once compaction has passed it.
  std::erase_if(next.voids, [&](const Void& each) { return each.limit <= next.begin; });
  STRATA_TRY(write_manifest(parts_.files, folder_, next));
  manifest_ = next;
  // The manifest before this one stays usable: what only it names goes with the next.
  std::vector<std::shared_ptr<Segment>> unnamed;
  unnamed.swap(named_by_last_);
  named_by_last_.swap(before.gone);
  for (const std::shared_ptr<Segment>& segment : unnamed) {
    STRATA_TRY(parts_.files.remove(segment->path()));
  }
  return parts_.extents->drop_dead(std::exchange(dead_at_last_, before.dead));
}

void Checkpointer::add_gone(std::vector<std::shared_ptr<Segment>> segments) {
  const base::MutexLock lock(mutex_);
  for (auto& segment : segments) gone_.push_back(std::move(segment));
}

std::uint64_t Checkpointer::gone_bytes() const {
  const base::MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& segment : gone_) bytes += segment->bytes_on_disk();
  return bytes;
}

std::int64_t Checkpointer::last_time_ms() const {
  const base::MutexLock lock(mutex_);
  return last_time_ms_;
}

Result<Checkpoint> Checkpointer::copy_to(const std::string& folder) {
  const base::MutexLock turn(one_at_a_time_);  // so that no file of it is removed meanwhile
  STRATA_LET(Checkpoint taken, take_locked(false));
  io::FileSystem& files = parts_.files;
  taken.bytes = 0;
  STRATA_TRY(io::create_directories(files, segments_folder(folder)));
  for (const ManifestSegment& segment : manifest_.segments) {
    const std::string name = Segment::name_of(segment.number);
    STRATA_LET(const std::uint64_t bytes,
               io::copy_file(files, io::join_path(segments_folder(folder_), name),
                             io::join_path(segments_folder(folder), name)));
    taken.bytes += bytes;
  }
  STRATA_TRY(files.sync_directory(segments_folder(folder)));
  STRATA_TRY(io::create_directories(files, extents_folder(folder)));
  STRATA_LET(const std::vector<std::string> fans, io::names_in(files, extents_folder(folder_)));
  for (const std::string& fan : fans) {
    const std::string from = io::join_path(extents_folder(folder_), fan);
    const std::string to = io::join_path(extents_folder(folder), fan);
    STRATA_TRY(io::create_directories(files, to));
    STRATA_LET(const std::vector<std::string> names, io::names_in(files, from));
    for (const std::string& name : names) {
      if (name.ends_with(".tmp")) continue;
      STRATA_LET(const std::uint64_t bytes,
                 io::copy_file(files, io::join_path(from, name), io::join_path(to, name)));
      taken.bytes += bytes;
    }
    STRATA_TRY(files.sync_directory(to));
  }
  STRATA_TRY(write_manifest(files, folder, manifest_));
  return taken;
}

}  // namespace strata::backends::hybridlog
