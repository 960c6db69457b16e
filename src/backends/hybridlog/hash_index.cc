#include "backends/hybridlog/hash_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <string>
#include <vector>

namespace strata::backends::hybridlog {
namespace {

constexpr unsigned kBucketBitsMax = 48;  // below them, the hash still has a whole tag
constexpr std::int64_t kCrowdedLookEvery = 64;

/// Overflow buckets that a bucket being moved has left, for the chains it is moved to.
class Spare {
 public:
  explicit Spare(OverflowSlab& slab) noexcept : slab_(slab) {}
  void add(std::uint32_t number) noexcept {
    for (std::atomic<std::uint64_t>& each : slab_[number].entries) {
      each.store(0, std::memory_order_release);
    }
    slab_[number].word.store(bucket_word::with_overflow(0, top_), std::memory_order_release);
    top_ = number;
  }
  std::uint32_t take() noexcept {
    const std::uint32_t number = top_;
    STRATA_CHECK(number != 0);
    top_ = bucket_word::overflow(slab_[number].word.load(std::memory_order_relaxed));
    slab_[number].word.store(0, std::memory_order_release);
    return number;
  }
  void give_back() noexcept {
    while (top_ != 0) slab_.give(take());
  }

 private:
  OverflowSlab& slab_;
  std::uint32_t top_ = 0;
};

/// Fills a chain that nobody else sees yet.
class NewChain {
 public:
  explicit NewChain(Bucket& first) noexcept : last_(&first) {}
  void append(std::uint64_t entry, OverflowSlab& slab, Spare& spare) noexcept {
    if (used_ == Bucket::kEntries) {
      const std::uint32_t number = spare.take();
      last_->word.store(bucket_word::with_overflow(0, number), std::memory_order_release);
      last_ = &slab[number];
      used_ = 0;
    }
    last_->entries[used_++].store(entry, std::memory_order_release);
  }

 private:
  Bucket* last_;
  std::size_t used_ = 0;
};

std::uint32_t overflow_of(const Bucket& bucket) noexcept {
  return bucket_word::overflow(bucket.word.load(std::memory_order_acquire));
}

}  // namespace

// --- tables
// ----------------------------------------------------------------------------------------

std::unique_ptr<HashIndex::Table> HashIndex::make_table(MemoryBudget& budget, unsigned bits) {
  if (bits > kBucketBitsMax) return nullptr;
  MappedMemory memory = MappedMemory::map(budget, sizeof(Bucket) << bits);
  return memory ? std::make_unique<Table>(std::move(memory), bits) : nullptr;
}

Result<std::unique_ptr<HashIndex>> HashIndex::create(Epoch& epoch, MemoryBudget& budget,
                                                     std::uint64_t buckets_at_start) {
  STRATA_CHECK(std::has_single_bit(buckets_at_start));
  STRATA_CHECK(buckets_at_start >= kBucketsMin);
  auto index = std::unique_ptr<HashIndex>(new HashIndex(epoch, budget));
  std::unique_ptr<Table> table =
      make_table(budget, static_cast<unsigned>(std::countr_zero(buckets_at_start)));
  if (table == nullptr || !index->slab_.tend()) {
    return Error(Code::quota, "no memory for a hash index of " + std::to_string(buckets_at_start) +
                                  " buckets: " + std::to_string(budget.left()) +
                                  " bytes are left of " + std::to_string(budget.limit()));
  }
  std::uninitialized_default_construct_n(table->buckets, table->count());
  index->bits_max_.store(table->bits);
  index->buckets_.store(table->count(), std::memory_order_relaxed);
  index->table_bytes_.store(table->memory.bytes(), std::memory_order_relaxed);
  index->table_.store(table.release(), std::memory_order_release);
  return index;
}

HashIndex::~HashIndex() {
  for (Table* table = table_.load(std::memory_order_acquire); table != nullptr;) {
    Table* const next = table->next.load(std::memory_order_acquire);
    delete table;
    table = next;
  }
}

// --- reading
// -----------------------------------------------------------------------------------------

template <class Read>
HashIndex::Chain HashIndex::read_chain(std::uint64_t hash, Read read) const {
  const Table* table = table_.load(std::memory_order_acquire);
  for (Spin spin;;) {
    const Bucket& first = table->bucket(hash);
    const std::uint64_t word = first.word.load();  // seq_cst: see look()
    if ((word & bucket_word::kMoved) != 0) {
      table = table->next.load(std::memory_order_acquire);
      continue;
    }
    if ((word & bucket_word::kLocked) == 0) {
      // A link is followed only once the word says that it was this chain's: one that was taken out
      // meanwhile may lead anywhere in the slab, and round in circles.
      std::uint32_t link = bucket_word::overflow(word);
      bool more = read(*table, first, true);
      while (more && link != 0 && first.word.load(std::memory_order_relaxed) == word) {
        const Bucket& bucket = slab_[link];
        more = read(*table, bucket, false);
        link = overflow_of(bucket);
      }
      if (first.word.load(std::memory_order_relaxed) == word) return {table, &first.word, word};
    }
    spin.wait();
  }
}

HashIndex::Look HashIndex::look_again(std::uint64_t hash) const noexcept {
  std::uint64_t head = 0;
  const Chain chain = read_chain(hash, [&](const Table& table, const Bucket& bucket, bool) {
    head = bucket.find(bucket_entry::wanted(hash, table.bits));
    return head == 0;
  });
  return {chain.word, chain.seen, {head}};
}

std::uint64_t HashIndex::visit_from(std::uint64_t hash, std::size_t entries_about,
                                    FunctionRef<void(LogAddress head)> visit) const {
  std::vector<std::uint64_t> entries;
  std::size_t visited = 0;
  std::size_t buckets = 0;
  do {
    const Chain chain = read_chain(hash, [&](const Table&, const Bucket& bucket, bool first) {
      if (first) entries.clear();
      for (const std::atomic<std::uint64_t>& each : bucket.entries) {
        const std::uint64_t entry = each.load(std::memory_order_acquire);
        if (entry != 0) entries.push_back(entry);
      }
      return true;
    });
    for (const std::uint64_t entry : entries) visit({entry & kAddressMask});
    visited += entries.size();
    ++buckets;
    hash = ((hash >> chain.table->shift) + 1) << chain.table->shift;  // behind the last: 0
  } while (hash != 0 && visited < entries_about && buckets < entries_about);
  return hash;
}

// --- writing
// -----------------------------------------------------------------------------------------

HashIndex::Lock HashIndex::lock_again(std::uint64_t hash) noexcept {
  Table* table = table_.load(std::memory_order_acquire);
  for (Spin spin;;) {
    Bucket& bucket = table->bucket(hash);
    std::uint64_t word = bucket.word.load(std::memory_order_acquire);
    if ((word & bucket_word::kMoved) != 0) {
      table = table->next.load(std::memory_order_acquire);
      continue;
    }
    if ((word & bucket_word::kLocked) == 0 &&
        bucket.word.compare_exchange_strong(word, word | bucket_word::kLocked)) {
      return Lock(*this, bucket, word, hash >> table->shift, table->bits);
    }
    spin.wait();
  }
}

// Under the lock, loads of entries and links need no order.

LogAddress HashIndex::Lock::head_in_overflow(std::uint64_t hash) const noexcept {
  const std::atomic<std::uint64_t>* const entry = find(hash);
  if (entry == nullptr) return {};
  return {entry->load(std::memory_order_relaxed) & kAddressMask};
}

std::atomic<std::uint64_t>* HashIndex::Lock::find(std::uint64_t hash) const noexcept {
  const std::uint64_t wanted = bucket_entry::wanted(hash, bits_);
  Bucket* bucket = bucket_;
  std::uint32_t link = bucket_word::overflow(word_);
  while (true) {
    for (std::atomic<std::uint64_t>& each : bucket->entries) {
      const std::uint64_t entry = each.load(std::memory_order_relaxed);
      if (entry == 0) return nullptr;
      if (bucket_entry::agrees(entry, wanted)) return &each;
    }
    if (link == 0) return nullptr;
    bucket = &index_->slab_[link];
    link = overflow_of(*bucket);
  }
}

void HashIndex::Lock::set_overflow(Bucket& of, std::uint32_t number) noexcept {
  if (&of == bucket_) {
    word_ = bucket_word::with_overflow(word_, number);
  } else {
    of.word.store(bucket_word::with_overflow(0, number), std::memory_order_release);
  }
}

bool HashIndex::Lock::set(std::uint64_t hash, LogAddress head) noexcept {
  STRATA_DCHECK(covers(hash));
  STRATA_DCHECK(head.value != 0);
  STRATA_DCHECK(head.value <= kAddressMask);
  const std::uint64_t fresh = bucket_entry::make(bucket_entry::wanted(hash, bits_), head);
  if (std::atomic<std::uint64_t>* const there = find(hash); there != nullptr) {
    // The tag stays: other keys of the chain may differ from this one behind the bits it knows.
    const std::uint64_t entry = there->load(std::memory_order_relaxed);
    there->store((entry & ~kAddressMask) | head.value, std::memory_order_release);
    changed_ = true;
    return true;
  }
  Bucket* last = bucket_;
  for (std::uint32_t link = bucket_word::overflow(word_); link != 0; link = overflow_of(*last)) {
    last = &index_->slab_[link];
  }
  std::size_t used = Bucket::kEntries;
  while (used > 0 && last->entries[used - 1].load(std::memory_order_relaxed) == 0) --used;
  if (used == Bucket::kEntries) {
    const std::uint32_t number = index_->slab_.take();
    if (number == 0) return false;
    took_overflow_ = true;
    set_overflow(*last, number);
    last = &index_->slab_[number];
    used = 0;
  }
  last->entries[used].store(fresh, std::memory_order_release);
  changed_ = true;
  index_->count(1);
  return true;
}

void HashIndex::Lock::erase(std::uint64_t hash) noexcept {
  STRATA_DCHECK(covers(hash));
  std::atomic<std::uint64_t>* const gone = find(hash);
  if (gone == nullptr) return;
  Bucket* before = nullptr;
  Bucket* last = bucket_;
  std::uint32_t number = 0;
  for (std::uint32_t link = bucket_word::overflow(word_); link != 0; link = overflow_of(*last)) {
    before = last;
    number = link;
    last = &index_->slab_[link];
  }
  std::size_t used = Bucket::kEntries;
  while (last->entries[used - 1].load(std::memory_order_relaxed) == 0) --used;
  // The last entry takes the place, so that all stay dense.
  std::atomic<std::uint64_t>& moves = last->entries[used - 1];
  gone->store(moves.load(std::memory_order_relaxed), std::memory_order_release);
  moves.store(0, std::memory_order_release);
  if (used == 1 && before != nullptr) {
    set_overflow(*before, 0);
    index_->slab_.give(number);
  }
  changed_ = true;
  index_->count(-1);
}

// --- growth
// ------------------------------------------------------------------------------------------

bool HashIndex::start_growth() {
  if (growing_.exchange(true, std::memory_order_acquire)) return true;
  // Nobody else can take the present table away now: that is done only where growing_ is set.
  Table* const present = table_.load(std::memory_order_acquire);
  std::unique_ptr<Table> next = make_table(budget_, present->bits + 1);
  if (next == nullptr) {
    growing_.store(false, std::memory_order_release);
    return false;
  }
  table_bytes_.fetch_add(next->memory.bytes(), std::memory_order_relaxed);
  bits_max_.store(next->bits);
  present->next.store(next.release(), std::memory_order_release);
  return true;
}

bool HashIndex::move_some(std::size_t buckets) noexcept {
  Table* const old = table_.load(std::memory_order_acquire);
  Table* const next = old->next.load(std::memory_order_acquire);
  if (next == nullptr) return false;  // done, or about to begin
  const std::uint64_t count = old->count();
  if (old->claimed.load(std::memory_order_relaxed) >= count) return false;
  const std::uint64_t begin =
      old->claimed.fetch_add(std::min<std::uint64_t>(buckets, count), std::memory_order_relaxed);
  const std::uint64_t end = std::min<std::uint64_t>(begin + buckets, count);
  if (begin >= end) return false;
  for (std::uint64_t i = begin; i < end; ++i) move_bucket(old->buckets[i], &next->buckets[2 * i]);
  const std::uint64_t before = old->moved.fetch_add(end - begin, std::memory_order_acq_rel);
  if (before + (end - begin) == count) finish_growth(old);
  return end < count;
}

void HashIndex::move_bucket(Bucket& from, Bucket* halves) noexcept {
  // They are this thread's until `moved` is seen. Now, since it touches their page, and a page
  // fault under the lock would keep others waiting.
  std::construct_at(&halves[0]);
  std::construct_at(&halves[1]);
  std::uint64_t word = from.word.load(std::memory_order_relaxed) & ~bucket_word::kLocked;
  for (Spin spin; !from.word.compare_exchange_strong(word, word | bucket_word::kLocked);
       spin.wait()) {
    word &= ~bucket_word::kLocked;
  }

  // Needs no overflow bucket but those of the chain it takes apart: once n buckets of it are read,
  // n - 1 are spare, and 7n entries in two chains overflow into no more than that. (One that goes
  // to both halves is the only one of its chain.)
  Spare spare(slab_);
  NewChain chains[2] = {NewChain(halves[0]), NewChain(halves[1])};
  std::int64_t doubled = 0;
  std::uint32_t number = 0;
  std::uint32_t link = bucket_word::overflow(word);
  for (Bucket* bucket = &from;; bucket = &slab_[number]) {
    if (number != 0) link = overflow_of(*bucket);
    std::array<std::uint64_t, Bucket::kEntries> entries;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] = bucket->entries[i].load(std::memory_order_relaxed);
    }
    if (number != 0) spare.add(number);
    for (const std::uint64_t entry : entries) {
      if (entry == 0) continue;
      if (bucket_entry::goes_to_both(entry)) {
        for (NewChain& chain : chains) chain.append(entry, slab_, spare);
        ++doubled;
      } else {
        chains[bucket_entry::half(entry)].append(bucket_entry::in_its_half(entry), slab_, spare);
      }
    }
    if (link == 0) break;
    number = link;
  }
  const std::uint64_t done = bucket_word::with_overflow(bucket_word::stepped(word), 0);
  from.word.store(done | bucket_word::kMoved, std::memory_order_release);
  spare.give_back();
  if (doubled != 0) count(doubled);
}

void HashIndex::finish_growth(Table* old) noexcept {
  Table* const next = old->next.load(std::memory_order_acquire);
  table_.store(next, std::memory_order_release);
  buckets_.store(next->count(), std::memory_order_relaxed);
  table_bytes_.fetch_sub(old->memory.bytes(), std::memory_order_relaxed);
  crowded_.store(crowded(), std::memory_order_relaxed);
  epoch_.retire([table = std::unique_ptr<Table>(old)]() mutable { table.reset(); });
  growing_.store(false, std::memory_order_release);
}

// --- figures
// -----------------------------------------------------------------------------------------

void HashIndex::count(std::int64_t more) noexcept {
  std::atomic<std::int64_t>& mine = counts_[base::thread_index() % kCounts].value;
  const std::int64_t before = mine.fetch_add(more, std::memory_order_relaxed);
  if (more > 0 && before % kCrowdedLookEvery == 0) {
    crowded_.store(crowded(), std::memory_order_relaxed);
  }
}

std::uint64_t HashIndex::entries() const noexcept {
  std::int64_t sum = 0;
  for (const Count& each : counts_) sum += each.value.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(sum, 0));
}

std::uint64_t HashIndex::check_chain(const Table& table, std::uint64_t number,
                                     std::uint64_t* overflow) const {
  std::vector<std::uint64_t> entries;
  const Bucket* bucket = &table.buckets[number];
  STRATA_CHECK((bucket->word.load() & (bucket_word::kLocked | bucket_word::kMoved)) == 0);
  while (true) {
    const std::size_t before = entries.size();
    for (std::size_t i = 0; i < Bucket::kEntries; ++i) {
      const std::uint64_t entry = bucket->entries[i].load();
      if (entry == 0) continue;
      STRATA_CHECK(entries.size() == before + i);  // dense
      STRATA_CHECK((entry & kAddressMask) != 0);
      STRATA_CHECK(bucket_entry::tag(entry) != 0);
      for (const std::uint64_t other : entries) {
        STRATA_CHECK(!bucket_entry::agrees(entry, bucket_entry::tag(other)));
        STRATA_CHECK(!bucket_entry::agrees(other, bucket_entry::tag(entry)));
      }
      entries.push_back(entry);
    }
    const std::uint32_t link = overflow_of(*bucket);
    if (bucket != &table.buckets[number]) STRATA_CHECK(entries.size() > before);
    if (link == 0) return entries.size();
    STRATA_CHECK(entries.size() == before + Bucket::kEntries);
    ++*overflow;
    bucket = &slab_[link];
  }
}

void HashIndex::check_invariants() const {
  const Table& table = *table_.load();
  const Table* const next = table.next.load();
  STRATA_CHECK(buckets() == table.count());
  STRATA_CHECK((next != nullptr) == growing());
  std::uint64_t found = 0;
  std::uint64_t overflow = 0;
  std::uint64_t moved = 0;
  for (std::uint64_t i = 0; i < table.count(); ++i) {
    if ((table.buckets[i].word.load() & bucket_word::kMoved) == 0) {
      found += check_chain(table, i, &overflow);
      continue;
    }
    STRATA_CHECK(next != nullptr);
    STRATA_CHECK(overflow_of(table.buckets[i]) == 0);
    ++moved;
    found += check_chain(*next, 2 * i, &overflow);
    found += check_chain(*next, 2 * i + 1, &overflow);
  }
  STRATA_CHECK(moved == table.moved.load());
  STRATA_CHECK(found == entries());
  STRATA_CHECK(overflow == overflow_buckets());
}

}  // namespace strata::backends::hybridlog
