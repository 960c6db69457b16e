#include "backends/hybridlog/verify.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "backends/hybridlog/checkpoint.h"
#include "backends/hybridlog/manifest.h"
#include "backends/hybridlog/record.h"
#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::hybridlog {

namespace {

constexpr int kRounds = 100;

/// Who has the store open takes away what newer manifests name no more. So what is missing is
/// looked for again by the then newest one, of which only what is new needs to be read.
class Reading {
 public:
  Reading(io::FileSystem& files, const std::string& folder, Verification& to,
          VerifyProgress progress)
      : files_(files), folder_(folder), to_(to), progress_(progress) {}

  Result<> run() {
    STRATA_TRY(next_manifest());
    if (!manifest_) return {};
    STRATA_TRY(segments());
    STRATA_LET(const std::vector<Suspect> suspects, extents());
    if (suspects.empty()) return {};
    STRATA_TRY(next_manifest());
    if (!manifest_) return {};
    STRATA_TRY(segments());
    // Taken away before this manifest was read: then no record of it names it any more.
    for (const Suspect& each : suspects) {
      const auto now = extents_.find(each.hash);
      if (now == extents_.end() || now->second.ref != each.ref || counts_not(now->second)) continue;
      STRATA_TRY(to_.note(each.error));
    }
    return {};
  }

 private:
  struct Extent {
    std::uint64_t address = 0;  // of the record
    std::uint64_t version = 0;
    std::optional<ExtentRef> ref;
  };
  struct Suspect {
    std::uint64_t hash = 0;
    ExtentRef ref;
    Error error;
  };

  /// Takes the newest one, or notes why it cannot be used.
  Result<> next_manifest() {
    std::string said;
    auto newest = read_newest_manifest(files_, folder_, &said);
    if (!newest) {
      manifest_.reset();
      return to_.note(newest.error());
    }
    if (!*newest) {
      return Error(Code::invalid_argument, "hybridlog: there is no store in " + folder_);
    }
    if (manifest_ && manifest_->store != (*newest)->store) {
      return Error(Code::invalid_argument,
                   "hybridlog: another store took the place of that in " + folder_);
    }
    if (!said.empty() && said != said_) STRATA_TRY(to_.note(Error(Code::corruption, said)));
    said_ = std::move(said);
    manifest_ = std::move(*newest);
    voids_ = voids_at_open(*manifest_);
    count_waiting();
    return {};
  }

  /// All that were not read yet.
  Result<> segments() {
    for (int round = 0; round < kRounds; ++round) {
      std::vector<const ManifestSegment*> unread;
      for (const ManifestSegment& each : manifest_->segments) {
        if (read_.contains(each.number)) continue;
        unread.push_back(&each);
        total_ += each.data_bytes;
      }
      std::vector<Error> missing;
      for (const ManifestSegment* const each : unread) {
        const Result<> right = segment(*each);
        if (!right && !is_there(each->number)) {
          missing.push_back(right.error());
          total_ -= each->data_bytes;
          continue;
        }
        STRATA_TRY(to_.note(right));  // the rest of them is of interest, too
        read_.insert(each->number);
      }
      if (missing.empty()) return {};
      const std::uint64_t generation = manifest_->generation;
      STRATA_TRY(next_manifest());
      if (!manifest_) return {};
      if (manifest_->generation == generation) {
        for (const Error& each : missing) STRATA_TRY(to_.note(each));
        return {};
      }
    }
    return Error(Code::busy,
                 "hybridlog: the store in " + folder_ + " changes faster than it can be read");
  }

  bool is_there(std::uint64_t number) const {
    const auto stat = files_.stat(
        io::join_path(Checkpointer::segments_folder(folder_), Segment::name_of(number)));
    return !stat || *stat;
  }

  Result<> segment(const ManifestSegment& named) {
    STRATA_LET(
        const std::shared_ptr<Segment> segment,
        Segment::open(files_, Checkpointer::segments_folder(folder_), manifest_->store,
                      named.number, named.number << manifest_->segment_bits, named.data_bytes));
    const std::uint64_t frame_bytes = std::uint64_t{1} << manifest_->frame_bits;
    for (std::uint64_t at = 0; at < segment->data_bytes(); at += frame_bytes) {
      const std::uint64_t bytes = std::min(frame_bytes, segment->data_bytes() - at);
      const std::uint64_t units = (bytes + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
      buffer_.reserve(units);
      STRATA_TRY(
          io::read_exactly(segment->file(), kSegmentHeaderBytes + at, {buffer_.data(), units}));
      Result<> right = segment->check(at, {buffer_.data(), units});
      if (right) right = frame(*segment, segment->first() + at, {buffer_.data(), bytes});
      STRATA_TRY(to_.note(right));
      to_.bytes += bytes;
      progress_(to_, total_);
    }
    return {};
  }

  Result<> frame(const Segment& segment, std::uint64_t first, BytesView bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      STRATA_LET(const RecordStep step, next_record(bytes.substr(at), segment.path()));
      if (!step.filler && !step.bounds.head.is(kInvalid)) {
        STRATA_TRY(record(first + at, step.bounds, bytes.substr(at, step.bytes)));
        ++to_.records;
      }
      at += step.bytes;
    }
    return {};
  }

  Result<> record(std::uint64_t address, const RecordBounds& bounds, BytesView bytes) {
    const RecordHead& head = bounds.head;
    ValueArea area;
    if (!head.is(kTombstone)) {
      STRATA_TRY(parse_area(head, bytes.substr(bounds.value_at, head.value_bytes()), area));
    }
    if (!area.extent && extents_.empty() && waiting_.empty()) return {};
    if (is_void(manifest_->voids, address, head.version())) return {};
    const KeyView key =
        KeyView::of_physical(bytes.substr(bounds.key_at, bounds.key_bytes), manifest_->hash_seed);
    const std::uint64_t hash = key.hash();
    const Extent extent{.address = address, .version = head.version(), .ref = area.extent};
    if (!is_void(voids_, address, head.version())) {
      count(hash, extent);
    } else if (area.extent || extents_.contains(hash) || waiting_.contains(hash)) {
      waiting_[hash].push_back(extent);
    }
    return {};
  }

  /// Of each key the last one counts.
  void count(std::uint64_t hash, const Extent& extent) {
    if (extent.ref) {
      extents_.insert_or_assign(hash, extent);
    } else {
      extents_.erase(hash);
    }
  }

  /// What waited counts by now, or the store ended in a crash before it did.
  void count_waiting() {
    for (const auto& [hash, records] : std::exchange(waiting_, {})) {
      for (const Extent& each : records) {
        if (!counts_not(each)) count(hash, each);
      }
    }
  }

  bool counts_not(const Extent& extent) const {
    return is_void(voids_, extent.address, extent.version);
  }

  /// Reads all of them. Gives those that are not there, or not what was written.
  Result<std::vector<Suspect>> extents() {
    MemoryBudget no_cache(0);
    STRATA_LET(const auto store,
               ExtentStore::open(files_, Checkpointer::extents_folder(folder_), no_cache, true));
    for (const auto& [hash, each] : extents_) total_ += each.ref->bytes;
    std::vector<Suspect> suspects;
    for (const auto& [hash, each] : extents_) {
      if (counts_not(each)) continue;
      const auto share = store->read(*each.ref);
      if (!share && share.error().code() != Code::corruption) return share.error();
      if (!share) suspects.push_back({.hash = hash, .ref = *each.ref, .error = share.error()});
      to_.bytes += each.ref->bytes;
      progress_(to_, total_);
    }
    return suspects;
  }

  io::FileSystem& files_;
  const std::string& folder_;
  Verification& to_;
  VerifyProgress progress_;
  std::optional<Manifest> manifest_;
  std::vector<Void> voids_;  // of the manifest
  std::string said_;
  std::unordered_set<std::uint64_t> read_;  // segments, by number
  std::uint64_t total_ = 0;
  UnitBuffer buffer_;
  std::unordered_map<std::uint64_t, Extent> extents_;  // of what counts, by the key's hash
  // Written while the manifest's checkpoint was: counts by the next one, if that comes.
  std::unordered_map<std::uint64_t, std::vector<Extent>> waiting_;
};

}  // namespace

Result<> verify(io::FileSystem& files, const std::string& folder, Verification& to,
                VerifyProgress progress) {
  STRATA_TRY(io::FolderSwap(files, folder).recover(true));
  return Reading(files, folder, to, progress).run();
}

}  // namespace strata::backends::hybridlog
