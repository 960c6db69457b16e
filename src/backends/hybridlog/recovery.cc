#include "backends/hybridlog/recovery.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "backends/hybridlog/checkpoint.h"
#include "backends/hybridlog/record.h"
#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::hybridlog {

namespace {

/// Goes through the log in the order of addresses: of each key, what comes later counts.
class Scan {
 public:
  Scan(Parts& parts) : parts_(parts) {}

  Result<> segment(Segment& segment) {
    for (std::uint64_t at = 0; at < segment.data_bytes();) {
      const std::uint64_t bytes =
          std::min<std::uint64_t>(parts_.log.frame_bytes(), segment.data_bytes() - at);
      const std::uint64_t units = (bytes + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
      buffer_.reserve(units);
      STRATA_TRY(
          io::read_exactly(segment.file(), kSegmentHeaderBytes + at, {buffer_.data(), units}));
      STRATA_TRY(segment.check(at, {buffer_.data(), units}));
      STRATA_TRY(frame(segment, segment.first() + at, {buffer_.data(), bytes}));
      at += bytes;
    }
    return {};
  }

  void finish() {
    if (records_ != 0) {
      const double share =
          static_cast<double>(parts_.counts.count_all()) / static_cast<double>(records_);
      parts_.live_bytes =
          static_cast<std::int64_t>(static_cast<double>(bytes_) * std::min(share, 1.0));
    }
  }
  std::unordered_set<std::uint64_t> extents() const {
    std::unordered_set<std::uint64_t> ids;
    for (const auto& [hash, id] : extents_) ids.insert(id);
    return ids;
  }

 private:
  Result<> frame(const Segment& segment, std::uint64_t first, BytesView bytes) {
    const Epoch::Guard guard(parts_.epoch);
    for (std::size_t at = 0; at < bytes.size();) {
      STRATA_LET(const RecordStep step, next_record(bytes.substr(at), segment.path()));
      const LogAddress address{first + at};
      if (!step.filler && !step.bounds.head.is(kInvalid) &&
          !parts_.is_void(address, step.bounds.head.version())) {
        STRATA_TRY(record(address, step.bounds, bytes.substr(at, step.bytes)));
      }
      at += step.bytes;
    }
    while (parts_.index->growing() && parts_.index->grow_some(1024)) {
    }
    return {};
  }

  Result<> record(LogAddress address, const RecordBounds& bounds, BytesView bytes) {
    const BytesView physical = bytes.substr(bounds.key_at, bounds.key_bytes);
    const KeyView key = KeyView::of_physical(physical, parts_.seed);
    const bool tombstone = bounds.head.is(kTombstone);
    {
      HashIndex::Lock lock = parts_.index->lock(key.hash());
      if (!lock.set(key.hash(), address)) return out_of_memory();
    }
    bool known = false;
    if (parts_.ordered != nullptr) {
      const OrderedIndex::Insert inserted = parts_.ordered->insert(physical);
      if (inserted == OrderedIndex::Insert::no_memory) return out_of_memory();
      known = inserted == OrderedIndex::Insert::present;
    } else {
      known = !seen_.insert(key.hash()).second;
    }
    const bool was = known && !parts_.dead.remove(key.hash());
    if (tombstone) parts_.dead.add(key.hash());
    const int change = (tombstone ? 0 : 1) - (was ? 1 : 0);
    if (change != 0) parts_.counts.add(key.ref().space, change);
    ++records_;
    bytes_ += bytes.size();
    extents_.erase(key.hash());
    if (tombstone) return {};
    ValueArea area;
    STRATA_TRY(
        parse_area(bounds.head, bytes.substr(bounds.value_at, bounds.head.value_bytes()), area));
    if (area.extent) extents_[key.hash()] = area.extent->id;
    if (area.info.expires_ms != kNeverExpires) {
      parts_.expiry.add(area.info.expires_ms, {key.hash(), address, key.ref().space});
    }
    return {};
  }

  static Error out_of_memory() {
    return Error(Code::quota, "hybridlog: the indexes of this store do not fit into `memory`");
  }

  Parts& parts_;
  UnitBuffer buffer_;
  std::unordered_set<std::uint64_t> seen_;  // hashes of keys, where there is no ordered index
  std::unordered_map<std::uint64_t, std::uint64_t> extents_;  // by the hash of the key
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<std::vector<std::shared_ptr<Segment>>> open_segments(io::FileSystem& files,
                                                            const std::string& folder,
                                                            const Manifest& manifest) {
  std::vector<std::shared_ptr<Segment>> segments;
  for (const ManifestSegment& each : manifest.segments) {
    STRATA_LET(std::shared_ptr<Segment> segment,
               Segment::open(files, Checkpointer::segments_folder(folder), manifest.store,
                             each.number, each.number << manifest.segment_bits, each.data_bytes));
    segments.push_back(std::move(segment));
  }
  return segments;
}

Result<> check_segment(Segment& segment, std::uint64_t step_bytes) {
  UnitBuffer buffer;
  for (std::uint64_t at = 0; at < segment.data_bytes();) {
    const std::uint64_t bytes = std::min(step_bytes, segment.data_bytes() - at);
    const std::uint64_t units = (bytes + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
    buffer.reserve(units);
    STRATA_TRY(io::read_exactly(segment.file(), kSegmentHeaderBytes + at, {buffer.data(), units}));
    STRATA_TRY(segment.check(at, {buffer.data(), units}));
    at += bytes;
  }
  return {};
}

Result<> recover(Parts& parts, const Manifest& manifest, const std::string& folder,
                 bool read_only) {
  Scan scan(parts);
  for (const std::shared_ptr<Segment>& segment : parts.log.segments()) {
    STRATA_TRY(scan.segment(*segment));
    if (parts.index->wants_growth()) static_cast<void>(parts.index->start_growth());
  }
  scan.finish();
  const std::unordered_set<std::uint64_t> extents = scan.extents();
  parts.extents->set_next_id(manifest.next_extent);
  STRATA_TRY(parts.extents->remove_unknown([&](std::uint64_t id) { return extents.contains(id); }));
  if (read_only) return {};
  // What a cut-off life of the store left beside the manifest's own segments.
  const std::string segments_folder = Checkpointer::segments_folder(folder);
  STRATA_LET(const std::vector<std::string> names, io::names_in(parts.files, segments_folder));
  for (const std::string& name : names) {
    const bool known = std::ranges::any_of(manifest.segments, [&](const ManifestSegment& each) {
      return Segment::name_of(each.number) == name;
    });
    if (!known) STRATA_TRY(parts.files.remove(io::join_path(segments_folder, name)));
  }
  return {};
}

}  // namespace strata::backends::hybridlog
