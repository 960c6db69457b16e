// Inside a shard: chunks in two queues, and a table that says where an address lies.
//
// A chunk holds entries one behind another: a word of address (48 bits) and bytes (16 bits), then
// the record, padded to 8. When room is needed the oldest chunk of a queue is gone through: entries
// that were read are kept, moved into the room left in main's newest chunk and, when that is full,
// to the front of their own, which then becomes main's newest; so going through needs no memory.
//
// The table is open-addressed; a slot has 30 bits of the address's hash, which give its home as
// well, and how often the entry was read, 0 to 3. The ghosts are the hashes of entries that left
// without having been read, each in the one place its hash has, until another one comes there.
#include "backends/hybridlog/read_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "base/random.h"

namespace strata::backends::hybridlog {

namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kEntryHeadBytes = 8;
constexpr std::uint64_t kShardBytes = std::uint64_t{1}
                                      << 20;  // so small that a table grows quickly
constexpr std::uint64_t kShardsMax = 1024;
constexpr std::uint64_t kSmallShare = 10;   // of the chunks, for the small queue
constexpr std::uint64_t kTableShare = 4;    // of the bytes, for the table at most
constexpr std::uint64_t kBudgetShare = 32;  // of the budget's limit, left to others
constexpr std::uint32_t kReadsMax = 3;
constexpr std::size_t kSlotsMin = 256;

constexpr std::uint32_t kTagMask = 0x3fffffff;
constexpr std::uint32_t kNowhere = ~std::uint32_t{0};

std::uint64_t hash_of(LogAddress address) noexcept { return base::mix64(address.value); }
std::uint32_t tag_of(std::uint64_t hash) noexcept {
  return static_cast<std::uint32_t>(hash & kTagMask);
}

/// Held for so short a time that waiting turns would cost more; never across anything that sleeps.
class STRATA_CAPABILITY("spin lock") SpinLock {
 public:
  void lock() noexcept STRATA_ACQUIRE() {
    while (taken_.exchange(true, std::memory_order_acquire)) {
      for (int spins = 1; taken_.load(std::memory_order_relaxed); ++spins) {
        if (spins % 256 == 0) std::this_thread::yield();  // whoever holds it may have lost its core
      }
    }
  }
  void unlock() noexcept STRATA_RELEASE() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};  // acquire in lock(), release in unlock()
};

class STRATA_SCOPED_CAPABILITY SpinGuard {
 public:
  explicit SpinGuard(SpinLock& lock) STRATA_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  ~SpinGuard() STRATA_RELEASE() { lock_.unlock(); }
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;

 private:
  SpinLock& lock_;
};

struct Cached {
  std::uint64_t head;
  static Cached make(LogAddress address, std::size_t bytes) noexcept {
    return {address.value | std::uint64_t{bytes} << kAddressBits};
  }
  static Cached at(const char* from) noexcept {
    Cached entry;
    std::memcpy(&entry.head, from, kEntryHeadBytes);
    return entry;
  }
  LogAddress address() const noexcept { return {head & kAddressMask}; }
  std::size_t bytes() const noexcept { return head >> kAddressBits; }
  std::size_t bytes_all() const noexcept { return kEntryHeadBytes + padded(bytes()); }
};
static_assert(ReadCache::kRecordBytesMax < 1u << (64 - kAddressBits));

}  // namespace

class alignas(64) ReadCache::Shard {
 public:
  void init(ReadCache& cache, std::uint64_t bytes_max) {
    cache_ = &cache;
    bytes_max_ = bytes_max;
    slots_max_ = std::max(kSlotsMin, std::bit_floor(bytes_max / kTableShare / kSlotBytes));
  }
  bool find(LogAddress address, std::uint64_t hash, Bytes& to) STRATA_EXCLUDES(lock_);
  void put(LogAddress address, std::uint64_t hash, BytesView record) STRATA_EXCLUDES(lock_);
  /// One chunk less; false when there is none.
  bool shrink() STRATA_EXCLUDES(lock_);
  std::uint64_t hits() const STRATA_EXCLUDES(lock_) {
    const SpinGuard guard(lock_);
    return hits_;
  }
  std::uint64_t misses() const STRATA_EXCLUDES(lock_) {
    const SpinGuard guard(lock_);
    return misses_;
  }
  void check_invariants() const STRATA_EXCLUDES(lock_);

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t end = 0;
    std::size_t room() const noexcept { return kChunkBytes - end; }
  };
  /// Numbers of chunks, the oldest first; the last one is open to more entries.
  using Queue = std::deque<std::uint32_t>;
  struct Slot {
    std::uint32_t where = kNowhere;  // chunk, then the entry's place in it, in words
    std::uint32_t tag : 30 = 0;
    std::uint32_t reads : 2 = 0;
  };
  static constexpr std::size_t kSlotBytes = sizeof(Slot) + sizeof(std::uint32_t) / 2;  // its ghost
  static constexpr std::uint32_t kPlaceBits = 13;
  static_assert(kChunkBytes == std::size_t{8} << kPlaceBits);

  static std::uint32_t where_of(std::uint32_t chunk, std::size_t offset) noexcept {
    return chunk << kPlaceBits | static_cast<std::uint32_t>(offset / 8);
  }
  char* place(std::uint32_t where) const noexcept STRATA_REQUIRES(lock_) {
    return chunks_[where >> kPlaceBits].bytes.get() +
           std::size_t{where & ((1u << kPlaceBits) - 1)} * 8;
  }
  std::size_t mask() const noexcept STRATA_REQUIRES(lock_) { return slots_.size() - 1; }
  bool has_room(const Queue& queue, std::size_t bytes) const noexcept STRATA_REQUIRES(lock_) {
    return !queue.empty() && chunks_[queue.back()].room() >= bytes;
  }

  Slot* look_up(LogAddress address, std::uint32_t tag) STRATA_REQUIRES(lock_);
  void add(const Slot& slot) STRATA_REQUIRES(lock_);
  void erase(Slot* slot) STRATA_REQUIRES(lock_);

  bool make_room(Queue& queue, std::size_t bytes) STRATA_REQUIRES(lock_);
  bool add_chunk(Queue& queue) STRATA_REQUIRES(lock_);
  bool grow_table() STRATA_REQUIRES(lock_);
  Queue& oldest_queue() STRATA_REQUIRES(lock_) {
    const std::size_t target = std::max<std::size_t>(1, chunk_count_ / kSmallShare);
    return main_.empty() || small_.size() > target ? small_ : main_;
  }
  std::uint32_t pass_over(Queue& queue, bool keep) STRATA_REQUIRES(lock_);
  void check_queue(const Queue& queue, std::size_t& entries) const STRATA_REQUIRES(lock_);
  Chunk free_oldest() STRATA_REQUIRES(lock_);
  bool take(std::uint64_t bytes) noexcept STRATA_REQUIRES(lock_);
  void give(std::uint64_t bytes) noexcept STRATA_REQUIRES(lock_);

  ReadCache* cache_ = nullptr;
  std::uint64_t bytes_max_ = 0;
  std::size_t slots_max_ = 0;

  mutable SpinLock lock_;
  std::vector<Slot> slots_ STRATA_GUARDED_BY(lock_);            // none, or a power of two
  std::vector<std::uint32_t> ghosts_ STRATA_GUARDED_BY(lock_);  // a half of that; 0: none
  std::size_t entries_ STRATA_GUARDED_BY(lock_) = 0;
  std::vector<Chunk> chunks_ STRATA_GUARDED_BY(lock_);
  std::vector<std::uint32_t> unused_ STRATA_GUARDED_BY(lock_);  // numbers without memory
  std::size_t chunk_count_ STRATA_GUARDED_BY(lock_) = 0;        // with memory
  Queue small_ STRATA_GUARDED_BY(lock_);
  Queue main_ STRATA_GUARDED_BY(lock_);
  std::uint64_t bytes_ STRATA_GUARDED_BY(lock_) = 0;  // of chunks and table
  std::uint64_t hits_ STRATA_GUARDED_BY(lock_) = 0;
  std::uint64_t misses_ STRATA_GUARDED_BY(lock_) = 0;
};

bool ReadCache::Shard::find(LogAddress address, std::uint64_t hash, Bytes& to) {
  while (true) {
    std::size_t bytes = 0;
    {
      const SpinGuard guard(lock_);
      Slot* slot = look_up(address, tag_of(hash));
      if (slot == nullptr) {
        ++misses_;
        return false;
      }
      const char* entry = place(slot->where);
      bytes = Cached::at(entry).bytes();
      if (bytes <= to.capacity()) {
        to.assign(entry + kEntryHeadBytes, bytes);
        if (slot->reads < kReadsMax) ++slot->reads;
        ++hits_;
        return true;
      }
    }
    to.reserve(bytes);  // malloc has locks of its own: not under ours
  }
}

void ReadCache::Shard::put(LogAddress address, std::uint64_t hash, BytesView record) {
  const Cached entry = Cached::make(address, record.size());
  const std::uint32_t tag = tag_of(hash);
  const SpinGuard guard(lock_);
  if (look_up(address, tag) != nullptr) return;
  if (entries_ * 4 >= slots_.size() * 3 && !grow_table()) {
    if (chunk_count_ == 0) return;
    free_oldest();  // its slots are what is needed
  }
  std::uint32_t& ghost = ghosts_[tag & (ghosts_.size() - 1)];
  Queue& queue = ghost == tag ? main_ : small_;
  if (ghost == tag) ghost = 0;
  if (!make_room(queue, entry.bytes_all())) return;
  Chunk& chunk = chunks_[queue.back()];
  const std::uint32_t where = where_of(queue.back(), chunk.end);
  char* to = chunk.bytes.get() + chunk.end;
  std::memcpy(to, &entry.head, kEntryHeadBytes);
  std::memcpy(to + kEntryHeadBytes, record.data(), record.size());
  chunk.end += entry.bytes_all();
  add({.where = where, .tag = tag & kTagMask, .reads = 0});
}

bool ReadCache::Shard::shrink() {
  Chunk gone;
  std::vector<Slot> gone_slots;
  std::vector<std::uint32_t> gone_ghosts;
  const SpinGuard guard(lock_);
  if (chunk_count_ == 0) return false;
  gone = free_oldest();
  if (chunk_count_ == 0) {
    give(slots_.size() * kSlotBytes);
    slots_.swap(gone_slots);
    ghosts_.swap(gone_ghosts);
  }
  return true;
}

ReadCache::Shard::Chunk ReadCache::Shard::free_oldest() {
  const std::uint32_t number = pass_over(oldest_queue(), false);
  Chunk gone = std::exchange(chunks_[number], {});
  unused_.push_back(number);
  --chunk_count_;
  give(kChunkBytes);
  return gone;
}

ReadCache::Shard::Slot* ReadCache::Shard::look_up(LogAddress address, std::uint32_t tag) {
  if (entries_ == 0) return nullptr;
  for (std::size_t i = tag & mask();; i = (i + 1) & mask()) {
    Slot& slot = slots_[i];
    if (slot.where == kNowhere) return nullptr;
    if (slot.tag == tag && Cached::at(place(slot.where)).address() == address) return &slot;
  }
}

void ReadCache::Shard::add(const Slot& slot) {
  std::size_t i = slot.tag & mask();
  while (slots_[i].where != kNowhere) i = (i + 1) & mask();
  slots_[i] = slot;
  ++entries_;
}

void ReadCache::Shard::erase(Slot* slot) {
  // What stands behind the gap and may stand in it moves up, so that no search ends too early.
  std::size_t gap = static_cast<std::size_t>(slot - slots_.data());
  for (std::size_t i = (gap + 1) & mask(); slots_[i].where != kNowhere; i = (i + 1) & mask()) {
    const std::size_t home = slots_[i].tag & mask();
    if (((i - home) & mask()) < ((i - gap) & mask())) continue;
    slots_[gap] = slots_[i];
    gap = i;
  }
  slots_[gap] = {};
  --entries_;
}

bool ReadCache::Shard::make_room(Queue& queue, std::size_t bytes) {
  // Each read of an entry is worth one round, so that a full main queue may need some; a bound
  // keeps the lock short.
  constexpr int kRounds = 4;
  for (int round = 0; !has_room(queue, bytes); ++round) {
    if (add_chunk(queue)) continue;
    if (chunk_count_ == 0) return false;
    const std::uint32_t freed = pass_over(oldest_queue(), round < kRounds);
    if (freed != kNowhere) queue.push_back(freed);
  }
  return true;
}

bool ReadCache::Shard::add_chunk(Queue& queue) {
  if (!take(kChunkBytes)) return false;
  if (unused_.empty()) {
    unused_.push_back(static_cast<std::uint32_t>(chunks_.size()));
    chunks_.emplace_back();
  }
  const std::uint32_t number = unused_.back();
  unused_.pop_back();
  chunks_[number].bytes = std::make_unique_for_overwrite<char[]>(kChunkBytes);
  ++chunk_count_;
  queue.push_back(number);
  return true;
}

bool ReadCache::Shard::grow_table() {
  const std::size_t count = std::max(kSlotsMin, slots_.size() * 2);
  if (count > slots_max_) return false;
  while (bytes_ + count * kSlotBytes > bytes_max_ && chunk_count_ > 1) free_oldest();
  if (!take(count * kSlotBytes)) return false;
  std::vector<Slot> slots(count);
  slots.swap(slots_);
  entries_ = 0;
  for (const Slot& slot : slots) {
    if (slot.where != kNowhere) add(slot);
  }
  std::vector<std::uint32_t> ghosts(count / 2);
  ghosts.swap(ghosts_);
  for (const std::uint32_t ghost : ghosts) ghosts_[ghost & (ghosts_.size() - 1)] = ghost;
  give(slots.size() * kSlotBytes);
  return true;
}

/// Takes the queue's oldest chunk out and empties it: what was read stays (if `keep`), in main.
/// Gives the chunk's number, or kNowhere when what stays in it made it main's newest.
std::uint32_t ReadCache::Shard::pass_over(Queue& queue, bool keep) {
  const std::uint64_t begin = cache_->begin_.load(std::memory_order_relaxed);
  const bool from_small = &queue == &small_;
  const std::uint32_t number = queue.front();
  queue.pop_front();
  Chunk& chunk = chunks_[number];
  std::size_t kept = 0;
  for (std::size_t at = 0; at < chunk.end;) {
    char* from = chunk.bytes.get() + at;
    const Cached entry = Cached::at(from);
    const std::size_t bytes = entry.bytes_all();
    at += bytes;
    const std::uint32_t tag = tag_of(hash_of(entry.address()));
    Slot* slot = look_up(entry.address(), tag);
    STRATA_DCHECK(slot != nullptr);
    const bool dead = entry.address().value < begin;
    if (!keep || dead || slot->reads == 0) {
      if (from_small && !dead) ghosts_[tag & (ghosts_.size() - 1)] = tag;
      erase(slot);
      continue;
    }
    slot->reads = from_small ? 0 : (slot->reads - 1) & kReadsMax;
    if (has_room(main_, bytes)) {
      Chunk& newest = chunks_[main_.back()];
      std::memcpy(newest.bytes.get() + newest.end, from, bytes);
      slot->where = where_of(main_.back(), newest.end);
      newest.end += bytes;
    } else {
      std::memmove(chunk.bytes.get() + kept, from, bytes);
      slot->where = where_of(number, kept);
      kept += bytes;
    }
  }
  chunk.end = kept;
  if (kept == 0) return number;
  main_.push_back(number);
  return kNowhere;
}

bool ReadCache::Shard::take(std::uint64_t bytes) noexcept {
  MemoryBudget& budget = cache_->budget_;
  if (bytes_ + bytes > bytes_max_) return false;
  if (budget.left() < bytes + budget.limit() / kBudgetShare) return false;
  if (!budget.try_take(bytes)) return false;
  bytes_ += bytes;
  cache_->bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

void ReadCache::Shard::give(std::uint64_t bytes) noexcept {
  cache_->budget_.give(bytes);
  bytes_ -= bytes;
  cache_->bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

void ReadCache::Shard::check_queue(const Queue& queue, std::size_t& entries) const {
  for (const std::uint32_t number : queue) {
    const Chunk& chunk = chunks_[number];
    STRATA_CHECK(chunk.bytes != nullptr);
    STRATA_CHECK(chunk.end <= kChunkBytes);
    for (std::size_t at = 0; at < chunk.end; ++entries) {
      const Cached entry = Cached::at(chunk.bytes.get() + at);
      const std::uint32_t where = where_of(number, at);
      std::size_t i = tag_of(hash_of(entry.address())) & mask();
      while (slots_[i].where != where) {
        STRATA_CHECK(slots_[i].where != kNowhere);
        i = (i + 1) & mask();
      }
      at += entry.bytes_all();
    }
  }
}

void ReadCache::Shard::check_invariants() const {
  const SpinGuard guard(lock_);
  std::size_t entries = 0;
  check_queue(small_, entries);
  check_queue(main_, entries);
  STRATA_CHECK(entries == entries_);
  STRATA_CHECK(small_.size() + main_.size() == chunk_count_);
  STRATA_CHECK(bytes_ == chunk_count_ * kChunkBytes + slots_.size() * kSlotBytes);
  STRATA_CHECK(bytes_ <= bytes_max_);
  STRATA_CHECK(chunk_count_ + unused_.size() == chunks_.size());
}

ReadCache::ReadCache(MemoryBudget& budget, std::uint64_t bytes_max)
    : budget_(budget),
      shard_count_(
          std::bit_floor(std::clamp<std::uint64_t>(bytes_max / kShardBytes, 1, kShardsMax))),
      shards_(std::make_unique<Shard[]>(shard_count_)) {
  for (std::size_t i = 0; i < shard_count_; ++i) {
    shards_[i].init(*this, bytes_max / shard_count_);
  }
}

ReadCache::~ReadCache() { budget_.give(bytes()); }

ReadCache::Shard& ReadCache::shard_of(std::uint64_t hash) const noexcept {
  return shards_[(hash >> 32) & (shard_count_ - 1)];  // the tag has the lower bits
}

bool ReadCache::find(LogAddress address, Bytes& to) {
  if (address.value < begin_.load(std::memory_order_relaxed)) return false;
  const std::uint64_t hash = hash_of(address);
  return shard_of(hash).find(address, hash, to);
}

void ReadCache::put(LogAddress address, BytesView record) {
  if (record.empty() || record.size() > kRecordBytesMax) return;
  if (address.value < begin_.load(std::memory_order_relaxed)) return;
  const std::uint64_t hash = hash_of(address);
  shard_of(hash).put(address, hash, record);
}

void ReadCache::drop_below(LogAddress begin) noexcept {
  std::uint64_t now = begin_.load(std::memory_order_relaxed);
  while (now < begin.value &&
         !begin_.compare_exchange_weak(now, begin.value, std::memory_order_relaxed)) {
  }
}

void ReadCache::shrink(std::uint64_t bytes) {
  const std::uint64_t before = this->bytes();
  const std::uint64_t target = before > bytes ? before - bytes : 0;
  bool some = true;
  while (some) {
    some = false;
    for (std::size_t i = 0; i < shard_count_; ++i) {
      if (this->bytes() <= target) return;
      some = shards_[i].shrink() || some;
    }
  }
}

std::uint64_t ReadCache::hits() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) sum += shards_[i].hits();
  return sum;
}

std::uint64_t ReadCache::misses() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) sum += shards_[i].misses();
  return sum;
}

void ReadCache::check_invariants() const {
  for (std::size_t i = 0; i < shard_count_; ++i) shards_[i].check_invariants();
}

}  // namespace strata::backends::hybridlog
