// How the log's frames become segments, and their memory free again. One thread at a time.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "backends/hybridlog/log.h"
#include "base/check.h"

namespace strata::backends::hybridlog {

Result<> Log::keep_room(Need need) {
  // Compaction goes on with one frame: what it takes beyond the budget stays small.
  const bool compacts = need == Need::compaction;
  const auto needed = [&] { return compacts ? 1 : needed_frames(); };
  while (true) {
    const std::uint64_t wanted = compacts ? 1 : wanted_frames();
    const std::uint64_t last = (tail_.load() >> 32) + wanted;
    const std::uint64_t ready = ready_.load(std::memory_order_relaxed);
    if (fits(last) && ready >= wanted) return {};
    const Result<> freed = fits(last) ? free_some(need) : make_place(last);
    if (!freed) {
      const bool served = ready >= needed() && fits((tail_.load() >> 32) + needed());
      return served ? Result<>() : freed;
    }
  }
}

// The ring knows the place of every frame from the oldest in memory to the tail, holes included:
// where there are many, the oldest frames leave before their memory is needed.
Result<> Log::make_place(std::uint64_t frame) {
  const std::uint64_t oldest = frame - ring_mask_;
  if (flushed() < oldest << frame_bits_) {
    freeze_to(std::min(oldest, tail_.load() >> 32));
    STRATA_TRY(flush(read_only()));
  }
  evict_to(std::min(oldest + ring_mask_ / 16, flushed() >> frame_bits_));
  if (fits(frame)) return {};
  return Error(Code::quota, "hybridlog: the log's memory is too far behind its tail");
}

void Log::tell(const Result<>& result) {
  const base::MutexLock lock(mutex_);
  ++attempts_;
  trouble_ = result;
  room_.notify_all();
}

Result<> Log::free_some(Need need) {
  bool taken = may_take_frame() && budget_.try_take(frame_bytes_);
  if (!taken && !on_disk() && need == Need::compaction) {
    budget_.take(frame_bytes_);
    taken = true;
  }
  if (taken) {
    push_ready(new_frame());
    tell_waiting();
    return {};
  }
  if (on_disk()) return evict_some();
  return Error(Code::quota,
               fmt::format("hybridlog: the memory of this store is full: {} bytes, all that "
                           "`memory` allows; delete something or allow more",
                           budget_.limit()));
}

Result<> Log::evict_some() {
  const std::uint64_t tail_frame = tail_.load() >> 32;
  const std::uint64_t head_frame = head_.load() >> frame_bits_;
  const std::uint64_t held = frames_held();
  if (held < 3 || head_frame >= tail_frame) {
    return Error(Code::quota, fmt::format("hybridlog: the indexes fill the memory budget of {} "
                                          "bytes; allow more `memory`",
                                          budget_.limit()));
  }
  const std::uint64_t step = eviction_frames();
  const std::uint64_t want = std::min(head_frame + step, tail_frame);
  if (flushed() < want << frame_bits_) {
    freeze_to(std::min(head_frame + 2 * step, tail_frame));
    STRATA_TRY(flush(read_only()));
  }
  evict_to(std::min(want, flushed() >> frame_bits_));
  return {};
}

Result<> Log::keep_headroom() {
  if (!headroom_ || !on_disk()) return {};
  while (budget_.left() < headroom_() && frames_held() > kFramesMin) {
    if (char* const frame = take_ready()) {
      free_frame(frame);
    } else if (head() >> frame_bits_ < tail_.load() >> 32) {
      STRATA_TRY(evict_some());
    } else {
      break;
    }
  }
  return {};
}

void Log::freeze_to(std::uint64_t frame) {
  const std::uint64_t address = frame << frame_bits_;
  if (read_only_.load() < address) read_only_.store(address);
  epoch_.wait(epoch_.turn());
}

void Log::evict_to(std::uint64_t frame) {
  const std::uint64_t from = evicted_.load();
  const std::uint64_t address = frame << frame_bits_;
  if (before_eviction_) before_eviction_();
  if (head_.load() < address) head_.store(address);
  if (from >= frame) return;
  epoch_.wait(epoch_.turn());
  for (std::uint64_t i = from; i < frame; ++i) {
    if (char* const memory = frames_[i & ring_mask_].exchange(nullptr)) push_ready(memory);
  }
  evicted_.store(frame);
  tell_waiting();
}

Result<> Log::flush(std::uint64_t end) {
  if (!on_disk()) return {};
  const std::uint64_t frames_per_segment = segment_bytes() >> frame_bits_;
  const std::uint64_t end_frame = (end + frame_bytes_ - 1) >> frame_bits_;
  for (std::uint64_t frame = flushed() >> frame_bits_; frame < end_frame; ++frame) {
    if (frames_[frame & ring_mask_].load() != nullptr) STRATA_TRY(write_frame(frame));
    const std::uint64_t number = frame / frames_per_segment;
    if (left_by_tail(number) && end_of_segment(number) <= (frame + 1) << frame_bits_) {
      STRATA_TRY(seal_segment(number));
    }
    flushed_.store((frame + 1) << frame_bits_, std::memory_order_release);
  }
  return {};
}

bool Log::left_by_tail(std::uint64_t number) const {
  return tail() >> options_.segment_bits > number;
}

Result<> Log::write_frame(std::uint64_t frame) {
  const std::uint64_t number = frame >> (options_.segment_bits - frame_bits_);
  const std::uint64_t from = frame << frame_bits_;
  const std::uint64_t end = std::min(from + frame_bytes_, end_of_segment(number));
  if (from >= end) return {};
  char* const memory = frames_[frame & ring_mask_].load();
  const std::uint64_t units = (end - from + kUnitBytes - 1) / kUnitBytes;
  if (end - from < frame_bytes_) {
    std::memset(memory + (end - from), 0, units * kUnitBytes - (end - from));
  }
  STRATA_LET(const std::shared_ptr<Segment> segment, segment_for(number));
  return segment->write(from - segment->first(), {memory, units * kUnitBytes});
}

Result<> Log::seal_segment(std::uint64_t number) {
  std::shared_ptr<Segment> segment;
  {
    const base::MutexLock lock(mutex_);
    const auto found = segments_.find(number);
    if (found == segments_.end() || found->second->sealed()) return {};
    segment = found->second;
  }
  return segment->seal(end_of_segment(number) - segment->first());
}

Result<std::shared_ptr<Segment>> Log::segment_for(std::uint64_t number) {
  const base::MutexLock lock(mutex_);
  std::shared_ptr<Segment>& segment = segments_[number];
  if (segment != nullptr) return segment;
  Result<std::shared_ptr<Segment>> made =
      Segment::create(files_, options_.folder, options_.store, number,
                      number << options_.segment_bits, segment_bytes());
  if (!made) {
    segments_.erase(number);
    return made.error();
  }
  segment = *made;
  return segment;
}

void Log::truncate(std::uint64_t begin, std::vector<std::shared_ptr<Segment>>& gone) {
  if (begin_.load() >= begin) return;
  begin_.store(begin, std::memory_order_release);
  const std::uint64_t frame = begin >> frame_bits_;
  if (!on_disk() || head_.load() < begin) {
    evict_to(frame);
    // What came free counts as free only once it is given back: others want memory, too.
    while (ready_.load(std::memory_order_relaxed) > wanted_frames() + 1) {
      char* const surplus = take_ready();
      if (surplus == nullptr) break;
      free_frame(surplus);
    }
  }
  const base::MutexLock lock(mutex_);
  const std::uint64_t number = begin >> options_.segment_bits;
  while (!segments_.empty() && segments_.begin()->first < number) {
    gone.push_back(std::move(segments_.begin()->second));
    segments_.erase(segments_.begin());
  }
  for (auto at = early_ends_.begin(); at != early_ends_.end() && at->first < number;) {
    holes_.fetch_sub(((at->first + 1) << options_.segment_bits) - at->second,
                     std::memory_order_relaxed);
    at = early_ends_.erase(at);
  }
}

}  // namespace strata::backends::hybridlog
