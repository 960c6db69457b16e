// Pages of records in key order, and cursors.
//
// A cursor is kCursorMark, then the last key that was looked at.
#include <rocksdb/db.h>

#include <algorithm>

#include "backends/rocksdb/rocksdb_engine.h"
#include "backends/rocksdb/status.h"
#include "base/quote.h"
#include "codec/physical_key.h"
#include "codec/record.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

constexpr BytesView kCursorMark("r\x01", 2);
/// A step of scan_some that fetches values ends behind the record that reaches this.
constexpr std::uint64_t kStepBytesMax = 4ull * 1024 * 1024;

// An iterator over [begin, end) of one keyspace, with the bounds that it borrows.
struct Bounds {
  Bounds(const Range& range)
      : begin_bytes(), end_bytes(codec::physical_end(range.space, range.end)) {
    codec::put_physical_key(begin_bytes, {range.space, range.begin});
    begin = slice(begin_bytes);
    end = slice(end_bytes);
  }
  Bounds(const Bounds&) = delete;
  Bounds& operator=(const Bounds&) = delete;

  void set(rdb::ReadOptions& options) const {
    options.iterate_lower_bound = &begin;
    options.iterate_upper_bound = &end;
  }

  Bytes begin_bytes;
  Bytes end_bytes;
  rdb::Slice begin;
  rdb::Slice end;
};

Result<codec::RecordView> parse(const rdb::Iterator& at, BytesView& key) {
  key = at.key().ToStringView().substr(codec::kKeyspaceBytes);
  Result<codec::RecordView> record =
      codec::parse_record(at.value().ToStringView(), codec::Checksum::none, key);
  if (record) return record;
  return Error(record.error().code(), "rocksdb: the record of " + base::quote(key), record.error());
}

}  // namespace

Result<> RocksdbEngine::scan(const Range& range, const ScanOptions& options, ScanPage& page) {
  page.clear();
  return try_rocks([&]() -> Result<> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    STRATA_LET(const Sight sight, sight_of(options.at));
    if (!range.end.empty() && range.end <= range.begin) return {};
    const Bounds bounds(range);
    rdb::ReadOptions read = read_options(sight);
    bounds.set(read);
    const IteratorPtr at = iterate(read);
    options.reverse ? at->SeekToLast() : at->SeekToFirst();
    for (; at->Valid(); options.reverse ? at->Prev() : at->Next()) {
      if (page.size() >= options.page_records || page.bytes() >= options.page_bytes) {
        page.set_more(true);
        break;
      }
      BytesView key;
      STRATA_LET(const codec::RecordView record, parse(*at, key));
      if (!sight.shows(record.info)) continue;
      page.add(key, options.keys_only ? BytesView{} : record.value, record.info);
    }
    return check(at->status(), "scan records");
  });
}

Result<> RocksdbEngine::scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                                  ScanPage& page) {
  page.clear();
  Range range = Range::prefix(space, options.prefix);
  if (!cursor.empty()) {
    if (!BytesView(cursor).starts_with(kCursorMark) ||
        cursor.size() > kCursorMark.size() + kKeyBytesMax) {
      return Error(Code::invalid_argument, "rocksdb: the cursor is not one of this engine");
    }
    // The smallest key behind the last one that was looked at.
    Bytes next = cursor.substr(kCursorMark.size());
    next.push_back('\0');
    range.begin = std::max(range.begin, next);
  }
  return try_rocks([&]() -> Result<> {
    const base::ReaderGate::Pass pass(gate_);
    STRATA_TRY(check_open());
    STRATA_LET(const Sight sight, sight_of(options.at));
    Bytes next_cursor;
    if (range.end.empty() || range.begin < range.end) {
      const Bounds bounds(range);
      rdb::ReadOptions read = read_options(sight);
      bounds.set(read);
      const IteratorPtr at = iterate(read);
      std::uint64_t looked_at = 0;
      for (at->SeekToFirst(); at->Valid(); at->Next()) {
        BytesView key;
        STRATA_LET(const codec::RecordView record, parse(*at, key));
        if (sight.shows(record.info)) {
          page.add(key, options.keys_only ? BytesView{} : record.value, record.info);
        }
        if (++looked_at >= options.count || page.bytes() >= kStepBytesMax) {
          next_cursor.append(kCursorMark).append(key);
          break;
        }
      }
      STRATA_TRY(check(at->status(), "scan records"));
    }
    cursor = std::move(next_cursor);
    return {};
  });
}

}  // namespace strata::backends::rocksdb
