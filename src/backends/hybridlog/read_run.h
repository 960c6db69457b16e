// ReadRun: one batch of reads on its way: what memory answers, then round by round what the device
// gives, until every read has its answer.
//
// Usage:   begin(); add() each read; look(); while (wants_device()) { read requests() in any way;
// take(); } Threads: one at a time, but not always the same. Borrows: the reads and their keys, the
// parts.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "backends/hybridlog/cold_fetch.h"
#include "backends/hybridlog/parts.h"
#include "strata/engine.h"

namespace strata::backends::hybridlog {

class ReadRun {
 public:
  ReadRun(Parts& parts, bool info_only) : parts_(parts), info_only_(info_only) {}
  ~ReadRun() { unpin(); }
  ReadRun(const ReadRun&) = delete;
  ReadRun& operator=(const ReadRun&) = delete;

  /// At a snapshot that somebody else holds, or (`at` null) at one of its own.
  Result<> begin(const Sight* at);
  const Sight& sight() const noexcept { return sight_; }
  void add(Read& read);
  /// Answers what memory can answer.
  Result<> look();
  bool wants_device() const noexcept { return !pending_.empty(); }
  /// Extents are left that are not in memory; they are read by read_extents(), which waits.
  bool wants_extents() const noexcept { return !extents_.empty(); }
  /// What to read now; the same until take().
  std::span<io::AsyncRead> requests();
  /// Takes what the device gave, and goes on from there.
  Result<> take();
  Result<> read_extents();

 private:
  struct Item {
    Read* read = nullptr;
    KeyView key;
    LogAddress next;          ///< a cold record to look at
    std::uint64_t begin = 0;  ///< of the log, when the look-up began
    bool again = false;       ///< an extent was gone once
    std::optional<ExtentRef> extent;
    ColdFetch fetch;
  };

  void unpin() noexcept {
    if (pin_) parts_.clock.end(*pin_);
    pin_.reset();
  }
  /// One item from the top of its chain; outside a guard.
  Result<> start(Item& item);
  /// Goes down the cold part of a chain as far as the cache leads.
  Result<> follow(Item& item);
  /// Looks at a record's bytes: true when they are the answer.
  Result<bool> consider(Item& item, BytesView record);
  Result<> answer(Item& item, const RecordHead& head, BytesView area);
  Result<> end_of_chain(Item& item);

  Parts& parts_;
  const bool info_only_;
  Sight sight_;
  std::optional<VersionClock::Pin> pin_;
  std::deque<Item> items_;
  std::vector<Item*> pending_;
  std::vector<Item*> extents_;
  std::vector<io::AsyncRead> requests_;
  Bytes cached_;
};

/// Copies what is in memory under an address while its writer may be at it; the caller validates.
/// `to` has room for the area rounded up to words at both ends; gives where the area begins in it.
inline const char* copy_area(const Found& found, std::size_t value_at, char* to) noexcept {
  const std::size_t first = value_at & ~std::size_t{7};
  load_words(to, found.at + first, padded(value_at + found.head.value_bytes()) - first);
  return to + (value_at - first);
}

}  // namespace strata::backends::hybridlog
