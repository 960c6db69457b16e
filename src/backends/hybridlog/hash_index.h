// HashIndex: from the hash of a key to the newest record of its chain; a hash table that grows
// while it is read and written.
//
//   hash:   bucket number (top bits) | tag: the next bits | ...
//   table:  [bucket 0][bucket 1] ... 64 bytes each (bucket.h); the eighth entry goes to the slab
//   growth: old bucket i -> new buckets 2i and 2i+1; `moved` in i's word sends everybody there
//
// A chain is what one entry leads to: the keys that agree in bucket and tag, and after many growths
// now and then another one: whoever walks it compares keys. Buckets are ranges of hashes, so
// ascending hashes are an order for locks, and a cursor for visits, that growth does not disturb.
//
// Always:  entries are validated by their bucket's word, which steps with every hold that changed
//          something; `moved` is set for good and only with both new buckets whole.
// Threads: any. look(), lock(), visit_from(), grow_some() and what they return: inside one
//          Epoch::Guard of the caller. The rest: anywhere but start_growth(), which is not for
//          inside. The growth beside readers and writers was model-checked (docs/models).
// Owns:    the tables and overflow buckets. Borrows: epoch and budget; the budget must outlive the
//          epoch, which may keep an old table.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "backends/hybridlog/bucket.h"
#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/epoch.h"
#include "backends/hybridlog/mapped_memory.h"
#include "backends/hybridlog/overflow_slab.h"
#include "backends/hybridlog/record_layout.h"
#include "base/thread_index.h"
#include "strata/function_ref.h"
#include "strata/result.h"

namespace strata::backends::hybridlog {

class HashIndex {
 private:
  struct Table;

 public:
  static constexpr std::uint64_t kBucketsMin = 2;

  /// Code::quota if the budget or the system has no room for the first table and the reserve of
  /// overflow buckets. `buckets_at_start`: a power of two, kBucketsMin or more.
  static Result<std::unique_ptr<HashIndex>> create(Epoch& epoch, MemoryBudget& budget,
                                                   std::uint64_t buckets_at_start);
  /// Nobody is inside any more.
  ~HashIndex();
  HashIndex(const HashIndex&) = delete;
  HashIndex& operator=(const HashIndex&) = delete;

  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&table_.load(std::memory_order_acquire)->bucket(hash));
  }

  /// The head of the hash's chain, nowhere if there is none, and what proves later that neither
  /// the head nor what is changed under its lock has changed.
  struct Look {
    const std::atomic<std::uint64_t>* word;
    std::uint64_t seen;
    LogAddress head;
  };
  /// Waits while the bucket is locked. The word is loaded seq_cst (a snapshot relies on it).
  Look look(std::uint64_t hash) const noexcept {
    const Look found = look_once(hash);
    return found.word != nullptr ? found : look_again(hash);
  }
  /// The same if one look at one bucket is enough; else no word.
  [[gnu::always_inline]] Look look_once(std::uint64_t hash) const noexcept {
    const Table* const table = table_.load(std::memory_order_acquire);
    const Bucket& bucket = table->bucket(hash);
    const std::uint64_t word = bucket.word.load();
    if ((word & (bucket_word::kLocked | bucket_word::kMoved)) == 0) [[likely]] {
      const std::uint64_t head = bucket.find(bucket_entry::wanted(hash, table->bits));
      const bool whole = head != 0 || bucket_word::overflow(word) == 0;
      if (whole && bucket.word.load(std::memory_order_relaxed) == word) [[likely]] {
        return {&bucket.word, word, {head}};
      }
    }
    return {nullptr, 0, {}};
  }
  /// For loads with acquire made between look() and this. A look outlives its Guard no more than
  /// the bucket does.
  static bool unchanged(Look look) noexcept {
    return look.word->load(std::memory_order_relaxed) == look.seen;
  }

  /// Sole hold of one bucket and its overflow. Under it: no allocation, no system call, no waiting
  /// but for locks of higher hashes.
  class Lock {
   public:
    Lock(Lock&& other) noexcept : Lock(std::as_const(other)) { other.bucket_ = nullptr; }
    Lock& operator=(Lock&& other) noexcept {
      unlock();
      *this = std::as_const(other);
      other.bucket_ = nullptr;
      return *this;
    }
    ~Lock() { unlock(); }

    /// Whether this hold is that of `hash`, too. The other calls: only for such hashes.
    bool covers(std::uint64_t hash) const noexcept { return hash >> (64 - bits_) == number_; }
    LogAddress head(std::uint64_t hash) const noexcept {
      STRATA_DCHECK(covers(hash));
      const std::uint64_t found = bucket_->find(bucket_entry::wanted(hash, bits_));
      if (found != 0 || bucket_word::overflow(word_) == 0) [[likely]]
        return {found};
      return head_in_overflow(hash);
    }
    /// `head` is somewhere. False: no memory for an overflow bucket, nothing changed.
    bool set(std::uint64_t hash, LogAddress head) noexcept;
    /// The hash's entry goes, if there is one.
    void erase(std::uint64_t hash) noexcept;

    /// Nothing was changed in a record under this hold. If nothing was here either, looks stay
    /// good.
    void untouched() noexcept { untouched_ = true; }
    /// Once; the destructor does it, too.
    void unlock() noexcept {
      if (bucket_ == nullptr) return;
      const std::uint64_t word = untouched_ && !changed_ ? word_ : bucket_word::stepped(word_);
      std::exchange(bucket_, nullptr)->word.store(word, std::memory_order_release);
      if (took_overflow_) [[unlikely]] {
        index_->slab_.tend();
      }
    }

   private:
    friend class HashIndex;
    Lock(const Lock&) = default;  // for a move only
    Lock& operator=(const Lock&) = default;
    Lock(HashIndex& index, Bucket& bucket, std::uint64_t word, std::uint64_t number, unsigned bits)
        : index_(&index), bucket_(&bucket), word_(word), number_(number), bits_(bits) {}
    LogAddress head_in_overflow(std::uint64_t hash) const noexcept;
    /// The entry that agrees, or null.
    std::atomic<std::uint64_t>* find(std::uint64_t hash) const noexcept;
    void set_overflow(Bucket& of, std::uint32_t number) noexcept;

    HashIndex* index_;
    Bucket* bucket_;      // null: unlocked
    std::uint64_t word_;  // as it will be, but for `locked` and the step
    std::uint64_t number_;
    unsigned bits_;
    bool untouched_ = false;
    bool changed_ = false;
    bool took_overflow_ = false;
  };

  /// Sole hold of one bucket and its overflow, taken only if nothing has changed since a look
  /// inside the same guard, and for changes of records only. Nobody is waited for. Whoever has
  /// taken it releases it, as Lock, with less to remember.
  class Hold {
   public:
    /// False: something has changed, or another Hold has it.
    bool take(const Look& look) noexcept {
      word_ = const_cast<std::atomic<std::uint64_t>*>(look.word);
      seen_ = look.seen;
      std::uint64_t expected = seen_;
      return word_->compare_exchange_strong(expected, seen_ | bucket_word::kLocked);
    }
    /// `changed`: a record was, so that looks from before are no good any more.
    void release(bool changed) const noexcept {
      word_->store(changed ? bucket_word::stepped(seen_) : seen_, std::memory_order_release);
    }
    /// Whether it was taken for the same bucket, as that look saw it.
    bool is_of(const Look& look) const noexcept { return word_ == look.word && seen_ == look.seen; }

   private:
    std::atomic<std::uint64_t>* word_;  // not set before take()
    std::uint64_t seen_;
  };

  /// Several: in ascending order of hashes, leaving out those that the last one covers(). The
  /// successful CAS is seq_cst (a snapshot relies on it).
  Lock lock(std::uint64_t hash) noexcept {
    Table* const table = table_.load(std::memory_order_acquire);
    Bucket& bucket = table->bucket(hash);
    std::uint64_t word = bucket.word.load(std::memory_order_relaxed);
    if ((word & (bucket_word::kLocked | bucket_word::kMoved)) == 0 &&
        bucket.word.compare_exchange_strong(word, word | bucket_word::kLocked)) [[likely]] {
      return Lock(*this, bucket, word, hash >> table->shift, table->bits);
    }
    return lock_again(hash);
  }

  // --- growth: start_growth() once, then grow_some() by writers and upkeep until it is done -----

  /// Whether the buckets are fuller than they should be, and nobody has started to grow.
  bool wants_growth() const noexcept {
    return crowded_.load(std::memory_order_relaxed) && !growing() && crowded();
  }
  /// What the next growth will take, if it is near: the buckets are more than half as full as they
  /// may be.
  std::uint64_t growth_bytes() const noexcept {
    if (growing() || 2 * entries() <= kEntriesPerBucketMax * buckets()) return 0;
    return 2 * buckets() * sizeof(Bucket);
  }
  bool growing() const noexcept { return growing_.load(std::memory_order_relaxed); }
  /// False: the budget or the system has no room for a table twice as large. True also if growth
  /// is going on. Makes system calls: not inside a Guard.
  bool start_growth();
  /// Moves up to so many buckets. False: none are left to begin with. Inside a Guard, holding no
  /// Lock.
  bool grow_some(std::size_t buckets) noexcept { return growing() && move_some(buckets); }

  /// No table had more than 2^this buckets so far; records that were linked by one that has had not
  /// more lead to all others that look() could mean.
  unsigned bits_max() const noexcept { return bits_max_.load(); }

  /// Figures, exact only while nobody writes.
  std::uint64_t entries() const noexcept;
  std::uint64_t buckets() const noexcept { return buckets_.load(std::memory_order_relaxed); }
  std::uint64_t overflow_buckets() const noexcept { return slab_.used(); }
  std::uint64_t bytes() const noexcept {
    return table_bytes_.load(std::memory_order_relaxed) + slab_.bytes();
  }

  /// Visits the heads of the chains of whole buckets, beginning with that of `hash`, until there
  /// were `entries_about` of one or the other; gives the first hash that was not covered, 0 at the
  /// end. Each bucket is seen as it was at one moment, and nothing is locked while `visit` runs.
  /// What is there throughout a series of calls is met at least once, growth or not.
  std::uint64_t visit_from(std::uint64_t hash, std::size_t entries_about,
                           FunctionRef<void(LogAddress head)> visit) const;

  /// While nobody else is here.
  void check_invariants() const;

 private:
  struct Table {
    Table(MappedMemory memory_of, unsigned bits_of) noexcept
        : buckets(static_cast<Bucket*>(memory_of.data())),
          bits(bits_of),
          shift(64 - bits_of),
          memory(std::move(memory_of)) {}
    Bucket& bucket(std::uint64_t hash) const noexcept { return buckets[hash >> shift]; }
    std::uint64_t count() const noexcept { return std::uint64_t{1} << bits; }

    Bucket* const buckets;
    const unsigned bits;                // of a bucket's number
    const unsigned shift;               // 64 - bits
    std::atomic<Table*> next{nullptr};  // release in start_growth(); acquire
    MappedMemory memory;
    alignas(64) std::atomic<std::uint64_t> claimed{0};  // relaxed: who moves what
    std::atomic<std::uint64_t> moved{0};                // acq_rel: the last one has seen all moves
  };
  struct alignas(64) Count {
    std::atomic<std::int64_t> value{0};  // relaxed: a figure
  };
  static constexpr std::size_t kCounts = 16;
  static constexpr std::uint64_t kEntriesPerBucketMax = 5;  // on average: 4 % of them overflow

  HashIndex(Epoch& epoch, MemoryBudget& budget) : epoch_(epoch), budget_(budget), slab_(budget) {}
  static std::unique_ptr<Table> make_table(MemoryBudget& budget, unsigned bits);

  struct Chain {
    const Table* table;
    const std::atomic<std::uint64_t>* word;
    std::uint64_t seen;
  };
  /// Calls `read` with the table, the bucket and whether it is the chain's first, until it is
  /// false; all over again until the whole was as it is at one moment.
  template <class Read>
  Chain read_chain(std::uint64_t hash, Read read) const;
  Look look_again(std::uint64_t hash) const noexcept;
  Lock lock_again(std::uint64_t hash) noexcept;
  bool move_some(std::size_t buckets) noexcept;
  void move_bucket(Bucket& from, Bucket* halves) noexcept;
  std::uint64_t check_chain(const Table& table, std::uint64_t number,
                            std::uint64_t* overflow) const;
  void finish_growth(Table* old) noexcept;
  void count(std::int64_t more) noexcept;
  bool crowded() const noexcept { return entries() > kEntriesPerBucketMax * buckets(); }

  Epoch& epoch_;
  MemoryBudget& budget_;
  std::atomic<Table*> table_{nullptr};  // release in finish_growth(); acquire: its buckets' moves
  std::atomic<bool> crowded_{false};    // relaxed: a hint
  std::atomic<bool> growing_{false};    // acquire and release: one growth sees the one before
  std::atomic<unsigned> bits_max_{0};   // seq_cst: rises before a table's first entry
  std::atomic<std::uint64_t> buckets_{0};      // relaxed: a figure
  std::atomic<std::uint64_t> table_bytes_{0};  // relaxed: a figure
  OverflowSlab slab_;
  Count counts_[kCounts];
};

}  // namespace strata::backends::hybridlog
