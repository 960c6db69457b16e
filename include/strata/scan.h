// Scans: ranges, the page that an engine fills, and an iterator and a visitor over pages.
//
// A scan goes page by page. A page is consistent in itself; a whole scan is only at a snapshot.
// Nothing is held in the engine between two pages, so a scan may be left at any time and gone on
// with later, from its position.
#pragma once

#include <cstdint>
#include <vector>

#include "strata/export.h"
#include "strata/function_ref.h"
#include "strata/record.h"
#include "strata/result.h"

namespace strata {

class Ordered;
class Snapshot;

/// The keys of one keyspace in [begin, end). An empty end means: to the end of the keyspace.
struct Range {
  Keyspace space{};
  Bytes begin;
  Bytes end;

  static Range all(Keyspace space) { return {space, {}, {}}; }
  /// All keys that start with `prefix`.
  STRATA_API static Range prefix(Keyspace space, BytesView prefix);
  bool contains(BytesView key) const noexcept { return key >= begin && (end.empty() || key < end); }
};

struct ScanOptions {
  bool reverse = false;     ///< from the end of the range to its beginning
  bool keys_only = false;   ///< values stay empty; everything else is reported
  std::uint64_t limit = 0;  ///< of records in the whole scan; 0: none
  /// A page ends behind the record that reaches either bound. Both are at least 1.
  std::uint32_t page_records = 256;
  std::uint32_t page_bytes = 256 * 1024;
  const Snapshot* at = nullptr;  ///< null: the present
};

/// One record of a scan. Valid until its page is filled again, cleared or ends.
struct ScanEntry {
  BytesView key;
  BytesView value;
  const RecordInfo& info;
};

/// Some records of a scan in their order. Owns all bytes; use it again for the next page.
class STRATA_API ScanPage {
 public:
  std::size_t size() const noexcept { return records_.size(); }
  bool empty() const noexcept { return records_.empty(); }
  ScanEntry operator[](std::size_t index) const noexcept;
  /// Whether the range may hold records behind this page.
  bool more() const noexcept { return more_; }
  /// Key and value bytes in it.
  std::uint64_t bytes() const noexcept { return bytes_.size(); }

  /// For engines.
  void clear() noexcept;
  void add(BytesView key, BytesView value, const RecordInfo& info);
  void set_more(bool more) noexcept { more_ = more; }

 private:
  struct Slot {
    std::size_t key_offset;
    std::size_t key_bytes;
    std::size_t value_bytes;
    RecordInfo info;
  };
  std::vector<Slot> records_;
  Bytes bytes_;
  bool more_ = false;
};

/// Goes through a range record by record. Usage: `while (true) { LET(bool any, it.next()); ... }`.
/// Threads: one at a time. Borrows the engine.
class STRATA_API ScanIterator {
 public:
  ScanIterator(Ordered& engine, Range range, ScanOptions options = {});

  /// Steps to the next record; false at the end.
  Result<bool> next();
  /// The record that next() stepped to, valid until the next step.
  ScanEntry entry() const noexcept { return page_[index_]; }
  /// What is left behind the present record: a new iterator over it goes on where this one is.
  Range rest() const;

 private:
  Ordered& engine_;
  Range range_;
  ScanOptions options_;
  ScanPage page_;
  std::size_t index_ = 0;
  std::uint64_t seen_ = 0;
  bool started_ = false;
};

/// Calls `visit` for each record until it returns false or the range ends.
STRATA_API Result<> for_each(Ordered& engine, const Range& range, const ScanOptions& options,
                             FunctionRef<bool(const ScanEntry&)> visit);

}  // namespace strata
