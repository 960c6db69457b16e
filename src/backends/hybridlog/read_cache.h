// ReadCache: copies, in memory, of records that lie on the device and are read often.
//
// Keyed by log address. What lies at an address never changes once it is on the device, and an
// address is never used again, so nothing is ever invalidated.
//
// Policy (after S3-FIFO, Yang et al., SOSP 2023): a record enters a small queue; what is read again
// while there moves to the main queue when its turn comes, the rest leaves, so that one long scan
// passes through a tenth of the memory. The main queue is first in, first out too, with one more
// round for each of up to three reads. Who has just left and comes back enters the main queue. Both
// queues are lists of chunks in which records lie side by side: nothing is allocated by record.
//
// Threads: any. A call holds one shard's spin lock for a look-up and a copy; put() now and then for
//          the passing over one chunk as well. It never sleeps and may be used in an Epoch::Guard.
// Owns:    its chunks. Borrows: MemoryBudget, from which every byte is taken.
// Always:  bytes() <= bytes_max. Below 128 KiB there is hardly room for anything.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/record_layout.h"
#include "strata/bytes.h"

namespace strata::backends::hybridlog {

class ReadCache {
 public:
  static constexpr std::size_t kRecordBytesMax = 16 * 1024;

  /// Takes memory as it fills, up to `bytes_max`, and not the last part of the budget, so that what
  /// shrink() gives back is there for who asked.
  ReadCache(MemoryBudget& budget, std::uint64_t bytes_max);
  ~ReadCache();
  ReadCache(const ReadCache&) = delete;
  ReadCache& operator=(const ReadCache&) = delete;

  /// Replaces `to` by the record's bytes; false, and `to` as it was, when they are not here.
  bool find(LogAddress address, Bytes& to);
  /// Larger than kRecordBytesMax, empty, or no memory at all: does nothing.
  void put(LogAddress address, BytesView record);

  /// Compaction has passed: records below are found no more, and their memory is used again as its
  /// turn comes.
  void drop_below(LogAddress begin) noexcept;
  /// Gives back at least so many bytes, if it has them. Not inside an Epoch::Guard.
  void shrink(std::uint64_t bytes);

  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  std::uint64_t hits() const;
  std::uint64_t misses() const;
  /// For tests: every entry is found where it lies, and nothing else is.
  void check_invariants() const;

 private:
  class Shard;
  Shard& shard_of(std::uint64_t hash) const noexcept;

  MemoryBudget& budget_;
  const std::size_t shard_count_;        // a power of two
  std::atomic<std::uint64_t> bytes_{0};  // relaxed: a figure
  std::atomic<std::uint64_t> begin_{0};  // relaxed: who comes too late finds what is still true
  const std::unique_ptr<Shard[]> shards_;
};

}  // namespace strata::backends::hybridlog
