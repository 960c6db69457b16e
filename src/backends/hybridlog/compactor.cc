#include "backends/hybridlog/compactor.h"

#include <algorithm>

#include "base/check.h"

namespace strata::backends::hybridlog {

namespace {
constexpr std::uint64_t kShortSegmentsMax = 16;
}

bool Compactor::possible() const {
  return parts_.log.begin() >> parts_.log.segment_bits() < parts_.log.tail() >>
         parts_.log.segment_bits();
}

std::uint64_t Compactor::dead_bytes() const {
  const std::uint64_t log = parts_.log.bytes_held();
  const std::int64_t live = parts_.live_bytes.load(std::memory_order_relaxed);
  const std::uint64_t counted = live < 0 ? 0 : static_cast<std::uint64_t>(live);
  return log > counted ? log - counted : 0;
}

bool Compactor::wanted() const {
  if (!possible()) return false;
  const std::uint64_t log = parts_.log.bytes_held();
  const std::int64_t live =
      std::max<std::int64_t>(0, parts_.live_bytes.load(std::memory_order_relaxed));
  // A checkpoint ends a segment however short it is: too many short ones are made one.
  const std::uint64_t segments = (parts_.log.tail() >> parts_.log.segment_bits()) -
                                 (parts_.log.begin() >> parts_.log.segment_bits());
  const std::uint64_t full = static_cast<std::uint64_t>(live) >> parts_.log.segment_bits();
  if (segments > kShortSegmentsMax + 2 * full) return true;
  const double allowed = parts_.options.space_amplification * static_cast<double>(live) * 0.95;
  return static_cast<double>(log) > allowed + 2.0 * static_cast<double>(parts_.log.segment_bytes());
}

Result<bool> Compactor::step(std::size_t records, std::vector<std::shared_ptr<Segment>>& gone) {
  if (!running_) {
    if (!possible()) return false;
    STRATA_TRY(begin_segment());
  }
  for (std::size_t i = 0; i < records; ++i) {
    if (candidates_.empty()) {
      if (from_ >= end_) {
        if (parts_.checkpoint_writes) STRATA_TRY(parts_.log.flush(next_begin_));
        parts_.log.truncate(next_begin_, gone);
        if (parts_.cache != nullptr) parts_.cache->drop_below({next_begin_});
        running_ = false;
        return true;
      }
      STRATA_TRY(load());
      continue;
    }
    STRATA_TRY(settle(candidates_.back()));
    candidates_.pop_back();
  }
  return false;
}

Result<> Compactor::begin_segment() {
  const std::uint64_t number = parts_.log.begin() >> parts_.log.segment_bits();
  from_ = number << parts_.log.segment_bits();
  end_ = parts_.log.end_of_segment(number);
  next_begin_ = (number + 1) << parts_.log.segment_bits();
  // Waits, too, for whoever still fills what it took there before the tail left.
  parts_.log.freeze(next_begin_);
  candidates_.clear();
  running_ = true;
  return {};
}

Result<> Compactor::load() {
  const std::uint64_t frame_end =
      std::min((from_ / parts_.log.frame_bytes() + 1) * parts_.log.frame_bytes(), end_);
  if (parts_.log.frame_at(from_) != nullptr && from_ >= parts_.log.head()) {
    parts_.log.visit_memory(from_, frame_end,
                            [&](LogAddress address, const RecordHead& head, std::size_t bytes) {
                              if (head.is(kInvalid) || parts_.is_void(address, head.version()))
                                return;
                              Candidate& each = candidates_.emplace_back();
                              each.address = address;
                              each.head = head;
                              each.record.resize(bytes);
                              load_words(each.record.data(), parts_.log.at(address), bytes);
                            });
  } else if (const std::shared_ptr<Segment> segment = parts_.log.segment_at({from_})) {
    const std::uint64_t offset = from_ - segment->first();
    const std::uint64_t bytes = (frame_end - from_ + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
    buffer_.reserve(bytes);
    STRATA_LET(const std::size_t got,
               segment->file().pread(kSegmentHeaderBytes + offset, {buffer_.data(), bytes}));
    if (got != bytes) return Error(Code::corruption, segment->path() + ": is cut short");
    STRATA_TRY(segment->check(offset, {buffer_.data(), bytes}));
    for (std::uint64_t at = 0; at < frame_end - from_;) {
      const BytesView rest(buffer_.data() + at, frame_end - from_ - at);
      STRATA_LET(const RecordStep stepped, next_record(rest, segment->path()));
      if (!stepped.filler && !stepped.bounds.head.is(kInvalid) &&
          !parts_.is_void({from_ + at}, stepped.bounds.head.version())) {
        candidates_.push_back(
            {{from_ + at}, stepped.bounds.head, Bytes(rest.substr(0, stepped.bytes))});
      }
      at += stepped.bytes;
    }
  }
  from_ = frame_end;
  std::ranges::reverse(candidates_);
  return {};
}

Result<Compactor::Standing> Compactor::standing_of(const KeyView& key, const Candidate& candidate) {
  Standing standing;
  const bool exact_end = parts_.clock.pins() != 0;
  LogAddress cold;
  bool newer = false;
  {
    const Epoch::Guard guard(parts_.epoch);
    while (true) {
      newer = false;
      cold = {};
      standing = {};
      const HashIndex::Look look = parts_.index->look(key.hash());
      standing.head = look.head;
      bool settled = false;
      for (LogAddress at = look.head; at && at >= candidate.address;) {
        if (at == candidate.address) {
          standing.newest = !newer;
          settled = true;
          break;
        }
        if (at.value < parts_.log.head()) {
          cold = at;
          break;
        }
        const char* const record = parts_.log.at(at);
        const RecordHead head = load_head(record);
        if (key.is_key_of(record, head)) {
          newer = true;
          standing.end = head.version();
          if (!exact_end) {
            settled = true;
            break;
          }
        }
        at = head.prev();
      }
      if (!HashIndex::unchanged(look)) continue;
      if (settled || !cold) return standing;
      break;
    }
  }
  for (LogAddress at = cold; at && at >= candidate.address;) {
    if (at == candidate.address) {
      standing.newest = !newer;
      return standing;
    }
    STRATA_LET(const std::optional<Bytes> record, reader_.cold_record(at));
    STRATA_CHECK(record.has_value());  // it lies above what is being taken apart
    const std::optional<RecordBounds> bounds = bounds_of(*record);
    STRATA_CHECK(bounds.has_value());
    if (key.is_physical(BytesView(*record).substr(bounds->key_at, bounds->key_bytes)) &&
        !parts_.is_void(at, bounds->head.version())) {
      newer = true;
      standing.end = bounds->head.version();
      if (!exact_end) return standing;
    }
    at = bounds->head.prev();
  }
  if (!newer) standing.end = 0;
  return standing;
}

Result<> Compactor::settle(const Candidate& candidate) {
  const std::optional<RecordBounds> bounds = bounds_of(candidate.record);
  STRATA_CHECK(bounds.has_value());
  const BytesView physical = BytesView(candidate.record).substr(bounds->key_at, bounds->key_bytes);
  const KeyView key = KeyView::of_physical(physical, parts_.seed);
  while (true) {
    STRATA_LET(const Standing standing, standing_of(key, candidate));
    if (!standing.newest) {
      const std::uint64_t version = candidate.head.version();
      if (standing.end != 0 && parts_.clock.pinned_between(version, standing.end) &&
          !parts_.old.add(physical, version, standing.end, candidate.record)) {
        return Error(Code::quota, "hybridlog: old versions that snapshots need fill the memory");
      }
      return {};
    }
    if (candidate.head.is(kTombstone) && parts_.clock.oldest() > candidate.head.version()) {
      const Writer::Move forgotten = writer_.forget(key, candidate.address, standing.head);
      if (forgotten == Writer::Move::moved) return {};
      continue;
    }
    std::int64_t expires_ms = kNeverExpires;
    if (candidate.head.is(kAttributes) && !candidate.head.is(kTombstone)) {
      ValueArea area;
      STRATA_TRY(parse_area(
          candidate.head,
          BytesView(candidate.record).substr(bounds->value_at, candidate.head.value_bytes()),
          area));
      expires_ms = area.info.expires_ms;
    }
    const Writer::Move moved =
        writer_.move_to_tail(key, candidate.address, standing.head, candidate.record, expires_ms);
    switch (moved) {
      case Writer::Move::moved:
        return {};
      case Writer::Move::changed:
        continue;
      case Writer::Move::no_memory:
        return Error(Code::quota, "hybridlog: no memory for the hash index");
      case Writer::Move::no_room:
        STRATA_TRY(parts_.log.keep_room(Log::Need::compaction));
    }
  }
}

}  // namespace strata::backends::hybridlog
