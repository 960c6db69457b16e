// Log: one address space of records: mutable in memory, read-only in memory, on disk.
//
//   begin        head                 read_only                tail
//   v            v                    v                        v
//   +------------+--------------------+------------------------+
//   | disk only  | memory, immutable  | memory, changed in     |
//   | (segments) | (on disk up to     | place under the        |
//   |            |  flushed)          | bucket's lock          |
//   +------------+--------------------+------------------------+
//
// Memory is held in frames of equal size, disk in segments of whole frames. A record lies in one
// frame. seal() ends a segment early, so that what lies below is immutable from then on; the
// addresses up to the next segment are a hole.
//
// Threads: the top part from any thread inside an Epoch::Guard; wait_for_room() outside; upkeep
//          from one thread, outside.
// Owns:    frames and segments. Borrows: files, epoch, budget.
// Always:  begin <= head <= flushed <= tail (without a device flushed means nothing, and head is
//          begin); what lies below read_only never changes once an epoch turn has passed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/epoch.h"
#include "backends/hybridlog/record_layout.h"
#include "backends/hybridlog/segment.h"
#include "base/mutex.h"
#include "io/file_system.h"

namespace strata::backends::hybridlog {

struct LogOptions {
  unsigned frame_bits = 21;
  unsigned segment_bits = 25;
  bool on_disk = true;
  std::string folder;  ///< of the segments
  StoreId store;
};

/// Where a new log begins, or an old one goes on.
struct LogStart {
  std::uint64_t begin = 0;         ///< lowest address that counts
  std::uint64_t next_segment = 1;  ///< where the tail goes on
  std::vector<std::shared_ptr<Segment>> segments;
};

class Log {
 public:
  Log(io::FileSystem& files, Epoch& epoch, MemoryBudget& budget, const LogOptions& options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Before anything else. Code::quota: no memory for the first frames.
  Result<> start(LogStart start);

  // --- Inside a guard

  std::uint64_t begin() const noexcept { return begin_.load(std::memory_order_acquire); }
  std::uint64_t head() const noexcept { return head_.load(std::memory_order_acquire); }
  std::uint64_t read_only() const noexcept { return read_only_.load(); }
  /// Where the next record goes at the earliest.
  std::uint64_t tail() const noexcept {
    const std::uint64_t word = tail_.load();
    return (word >> 32 << frame_bits_) + std::min(word & 0xffffffff, frame_bytes_);
  }

  /// The bytes at an address in [head, tail), as long as the guard lives.
  char* at(LogAddress address) const noexcept {
    return frames_[address.value >> frame_bits_ & ring_mask_].load(std::memory_order_relaxed) +
           (address.value & (frame_bytes_ - 1));
  }

  struct Room {
    LogAddress address;
    char* at;
  };
  /// Room for a record; `bytes` is a multiple of kRecordAlign, at most record_bytes_max(). What is
  /// given must become a record, kInvalid at the least, before the guard ends. Nothing: no frame
  /// is at hand; leave the guard and wait_for_room().
  std::optional<Room> allocate(std::size_t bytes) noexcept {
    while (true) {
      if ((tail_.load(std::memory_order_relaxed) & 0xffffffff) > frame_bytes_) [[unlikely]] {
        if (!wait_for_opening()) return std::nullopt;
      }
      const std::uint64_t word = tail_.fetch_add(bytes);
      const std::uint64_t offset = word & 0xffffffff;
      if (offset + bytes <= frame_bytes_) [[likely]] {
        const LogAddress address{(word >> 32 << frame_bits_) + offset};
        return Room{address, at(address)};
      }
      if (offset <= frame_bytes_ && !open_next(word)) return std::nullopt;
    }
  }
  std::size_t record_bytes_max() const noexcept { return frame_bytes_ / 2; }

  /// Frames that hold records of `bytes` together, of which the largest has `largest`, from a new
  /// frame on.
  std::uint64_t frames_for(std::uint64_t bytes, std::uint64_t largest) const noexcept {
    return bytes / (frame_bytes_ - largest + kRecordAlign) + 1;
  }
  /// Whether so much room is at hand now. Others may be faster.
  bool has_room(std::uint64_t bytes, std::uint64_t largest) const noexcept {
    const std::uint64_t used = tail_.load(std::memory_order_relaxed) & 0xffffffff;
    return used + bytes <= frame_bytes_ ||
           frames_for(bytes, largest) <= ready_.load(std::memory_order_relaxed);
  }

  // --- Outside a guard

  /// Returns once so many frames are ready, or says why they are not.
  Result<> wait_for_room(std::uint64_t frames = 1) STRATA_EXCLUDES(mutex_);
  /// Returns once upkeep has seen to the headroom.
  void wait_for_upkeep() STRATA_EXCLUDES(mutex_);
  /// The segment an address lies in; null: below begin (or a hole).
  std::shared_ptr<Segment> segment_at(LogAddress address) const STRATA_EXCLUDES(mutex_);

  // --- Upkeep

  /// Sees to it that frames are ready: what somebody waits for, and with a device some beyond,
  /// so that writers go on while the next are freed. An error: nobody can be served.
  enum class Need : std::uint8_t {
    writers,
    compaction  ///< in memory only: takes a frame beyond the budget, since it will give back more
  };
  Result<> keep_room(Need need = Need::writers) STRATA_EXCLUDES(mutex_);
  /// How much of the budget is to be left to the indexes; set before anybody writes.
  void set_headroom(std::function<std::uint64_t()> bytes) { headroom_ = std::move(bytes); }
  /// Gives frames back until that much is left, as far as a log can: the oldest go to the device.
  Result<> keep_headroom() STRATA_EXCLUDES(mutex_);
  /// Tells those who wait what came of the last attempts.
  void tell(const Result<>& result) STRATA_EXCLUDES(mutex_);
  /// Makes what lies below an address (of a frame, not above the tail's) immutable.
  void freeze(std::uint64_t address) { freeze_to(address >> frame_bits_); }
  /// Makes everything below the tail immutable and lets the tail go on in a new segment; gives the
  /// end of the old one. Waits for a frame.
  Result<std::uint64_t> seal() STRATA_EXCLUDES(mutex_);
  /// Writes what lies below `end` (a sealed one, or read_only()) to its segments; seals those that
  /// end at or before it.
  Result<> flush(std::uint64_t end) STRATA_EXCLUDES(mutex_);
  /// Nothing below counts any more. Frames and, with a device, segments below it are let go; the
  /// files are the caller's to remove (gone).
  void truncate(std::uint64_t begin, std::vector<std::shared_ptr<Segment>>& gone)
      STRATA_EXCLUDES(mutex_);
  /// Segments with a file, oldest first.
  std::vector<std::shared_ptr<Segment>> segments() const STRATA_EXCLUDES(mutex_);

  /// Where a segment's records end, for those the tail has left; else the tail.
  std::uint64_t end_of_segment(std::uint64_t number) const STRATA_EXCLUDES(mutex_);
  /// The memory that holds an address, or null.
  const char* frame_at(std::uint64_t address) const noexcept {
    return address < head() ? nullptr : frames_[address >> frame_bits_ & ring_mask_].load();
  }
  /// Bytes of the log from begin to tail, without holes.
  std::uint64_t bytes_held() const noexcept {
    return tail() - begin() - std::min(holes_.load(std::memory_order_relaxed), tail() - begin());
  }
  /// Calls visit(address, head, record bytes) for each record of one frame that is in memory and
  /// immutable, in order. Where nobody takes the frame away.
  template <class Visit>
  void visit_memory(std::uint64_t from, std::uint64_t end, Visit visit) const;

  std::uint64_t frame_bytes() const noexcept { return frame_bytes_; }
  unsigned frame_bits() const noexcept { return frame_bits_; }
  std::uint64_t segment_bytes() const noexcept { return std::uint64_t{1} << options_.segment_bits; }
  unsigned segment_bits() const noexcept { return options_.segment_bits; }
  std::uint64_t frames_held() const noexcept {
    return frames_held_.load(std::memory_order_relaxed);
  }
  std::uint64_t flushed() const noexcept { return flushed_.load(std::memory_order_acquire); }
  std::uint64_t bytes_on_disk() const STRATA_EXCLUDES(mutex_);
  bool on_disk() const noexcept { return options_.on_disk; }
  /// Whether keep_room() has something to do.
  bool hungry() const noexcept {
    const std::uint64_t wanted = wanted_frames();
    return ready_.load(std::memory_order_relaxed) < wanted || !fits((tail_.load() >> 32) + wanted);
  }
  void set_kick(std::function<void()> kick) { kick_ = std::move(kick); }
  /// Is called before records leave memory: the clock must rise, so that what is read of them
  /// later is older than any write to come.
  void set_before_eviction(std::function<void()> call) { before_eviction_ = std::move(call); }

 private:
  static constexpr std::uint64_t kFramesMin = 6;        // below it no frame is given back
  static constexpr std::uint64_t kClosed = 0x7fffffff;  // an offset above any frame's bytes

  bool open_next(std::uint64_t full) noexcept;
  bool wait_for_opening() noexcept;
  void open_frame(std::uint64_t frame, char* memory) noexcept;
  void fill_rest(std::uint64_t frame, std::uint64_t offset) noexcept;
  char* new_frame();
  void free_frame(char* frame);
  /// What somebody waits for; at least one.
  std::uint64_t needed_frames() const noexcept {
    return std::max<std::uint64_t>(1, need_.load(std::memory_order_relaxed));
  }
  /// So many frames leave memory together.
  std::uint64_t eviction_frames() const noexcept {
    return std::max<std::uint64_t>(1, frames_held() / 32);
  }
  std::uint64_t wanted_frames() const noexcept {
    return std::max(needed_frames(), on_disk() ? eviction_frames() : 1);
  }
  /// Frames that are ready are a stack, linked through their first words, since writers take from
  /// it under bucket locks. Only who holds opening_ takes: so no frame comes back meanwhile.
  void push_ready(char* frame) noexcept;
  char* pop_ready() noexcept;
  /// The same for who does not hold opening_.
  char* take_ready() noexcept;
  void tell_waiting() STRATA_EXCLUDES(mutex_);
  void tell_need() STRATA_REQUIRES(mutex_);
  /// Whether the ring has a place for a frame beside those that are not let go yet.
  bool fits(std::uint64_t frame) const noexcept { return frame - evicted_.load() <= ring_mask_; }
  /// Lets the oldest frames go until a frame fits().
  Result<> make_place(std::uint64_t frame) STRATA_EXCLUDES(mutex_);
  bool turn_tail(std::uint64_t full_frame) noexcept;
  /// Makes everything below a frame read-only, and waits until nobody still writes there.
  void freeze_to(std::uint64_t frame);
  /// One frame more is ready, or several.
  Result<> free_some(Need need) STRATA_EXCLUDES(mutex_);
  /// Whether the budget has a frame for the log beside the headroom.
  bool may_take_frame() const {
    return frames_held() < kFramesMin || !headroom_ || budget_.left() >= frame_bytes_ + headroom_();
  }
  /// Writes the oldest frames, and lets the first half of what was written go.
  Result<> evict_some() STRATA_EXCLUDES(mutex_);
  Result<> write_frame(std::uint64_t frame) STRATA_EXCLUDES(mutex_);
  Result<> seal_segment(std::uint64_t number) STRATA_EXCLUDES(mutex_);
  bool left_by_tail(std::uint64_t number) const;
  Result<std::shared_ptr<Segment>> segment_for(std::uint64_t number) STRATA_EXCLUDES(mutex_);
  /// Lets go of the frames below one; nobody may be inside for ever.
  void evict_to(std::uint64_t frame) STRATA_EXCLUDES(mutex_);

  io::FileSystem& files_;
  Epoch& epoch_;
  MemoryBudget& budget_;
  const LogOptions options_;
  const unsigned frame_bits_;
  const std::uint64_t frame_bytes_;
  std::uint64_t ring_mask_ = 0;
  std::unique_ptr<std::atomic<char*>[]> frames_;  // release in open_frame, before tail_
  std::function<void()> kick_;                    // wakes whoever does the upkeep
  std::function<void()> before_eviction_;
  std::function<std::uint64_t()> headroom_;

  alignas(64) std::atomic<std::uint64_t> tail_{
      0};  // frame << 32 | offset; above frame_bytes_: full
  alignas(64) std::atomic<std::uint64_t> begin_{0};
  std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> read_only_{0};  // seq_cst: read by writers under their bucket's lock
  std::atomic<std::uint64_t> flushed_{0};
  std::atomic<std::uint64_t> evicted_{0};  // the lowest frame whose place in the ring is taken
  std::atomic<char*> ready_top_{nullptr};  // release in push_ready, acquire in pop_ready
  std::atomic<std::uint64_t> ready_{0};    // relaxed: how many, or one more for a moment
  std::atomic<std::uint64_t> need_{0};     // relaxed: the largest of needs_
  std::atomic<bool> opening_{false};       // a spin lock: who turns the tail
  std::atomic<std::uint64_t> frames_held_{0};
  std::atomic<std::uint64_t> holes_{0};  // relaxed: bytes of addresses that nothing lies at

  mutable base::Mutex mutex_;
  base::CondVar room_;
  std::uint64_t attempts_ STRATA_GUARDED_BY(mutex_) = 0;  // of keep_room
  Result<> trouble_ STRATA_GUARDED_BY(mutex_);
  std::map<std::uint64_t, std::shared_ptr<Segment>> segments_ STRATA_GUARDED_BY(mutex_);
  std::map<std::uint64_t, std::uint64_t> early_ends_ STRATA_GUARDED_BY(mutex_);  // of sealed ones
  std::multiset<std::uint64_t> needs_ STRATA_GUARDED_BY(mutex_);  // frames that somebody waits for
};

template <class Visit>
void Log::visit_memory(std::uint64_t from, std::uint64_t end, Visit visit) const {
  while (from < end) {
    const char* const record = at({from});
    // Of a filler only the first word is sure to be in the frame.
    const RecordHead filler{load_word(record), 0};
    if (filler.is(kFiller)) {
      from += filler.prev().value;
      continue;
    }
    const RecordHead head = load_head(record);
    std::size_t key_bytes = head.short_key_bytes();
    std::size_t key_at = kRecordHeadBytes;
    if (head.long_key()) {
      key_bytes = load_word(record + kRecordHeadBytes) & 0xffffffff;
      key_at += 4;
    }
    const std::size_t bytes = padded(key_at + key_bytes + head.value_bytes());
    visit(LogAddress{from}, head, bytes);
    from += bytes;
  }
}

}  // namespace strata::backends::hybridlog
