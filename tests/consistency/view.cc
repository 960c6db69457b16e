#include "consistency/view.h"

#include <algorithm>

#include "conformance/fixture.h"

namespace strata::consistency {

namespace {

using conformance::ok;

Stored stored(const ScanEntry& entry) { return {Bytes(entry.value), entry.info.version}; }

std::string shown(const View::value_type& record) {
  return brief(record.first) + "=" + brief(record.second.value) + "@" +
         std::to_string(record.second.version.value);
}

}  // namespace

View scanned(Ordered& engine, const Range& range, const ScanOptions& options) {
  View view;
  Bytes last;
  bool first = true;
  ok(for_each(engine, range, options, [&](const ScanEntry& entry) {
    const bool in_order = first || (options.reverse ? entry.key < last : entry.key > last);
    if (!in_order) throw Violation("a scan is out of order at " + brief(entry.key));
    if (!range.contains(entry.key)) throw Violation("a scan left its range: " + brief(entry.key));
    first = false;
    last = Bytes(entry.key);
    view.emplace(last, stored(entry));
    return true;
  }));
  return view;
}

View scanned_by_cursor(Engine& engine, const Range& range, const Snapshot* at,
                       std::uint32_t count) {
  constexpr int kStepsMax = 1'000'000;  // one that never ends is a failure, not a hanging test
  CursorOptions options;
  options.count = count;
  options.keys_only = false;
  options.at = at;
  View view;
  Bytes cursor;
  ScanPage page;
  for (int step = 0; step < kStepsMax; ++step) {
    page.clear();
    ok(engine.scan_some(range.space, cursor, options, page));
    for (std::size_t i = 0; i < page.size(); ++i) {
      if (!range.contains(page[i].key)) continue;
      const auto [known, fresh] = view.try_emplace(Bytes(page[i].key), stored(page[i]));
      if (!fresh && at != nullptr && known->second != stored(page[i])) {
        throw Violation("a cursor scan of a snapshot gave two records of " + brief(page[i].key));
      }
    }
    if (cursor.empty()) return view;
  }
  throw Violation("a cursor scan does not end");
}

View read_at_once(Engine& engine, Keyspace space, const std::vector<Bytes>& keys,
                  const Snapshot* at) {
  std::vector<Read> reads(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) reads[i].key = {space, keys[i]};
  ReadOptions options;
  options.at = at;
  ok(engine.mget(reads, options));
  View view;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (reads[i].info) {
      view.emplace(keys[i], Stored{reads[i].value.to_bytes(), reads[i].info->version});
    }
  }
  return view;
}

void compact(Engine& engine) {
  const Result<> done = engine.as<Persistence>()->compact();
  if (!done && done.error().code() != Code::busy) ok(done);
}

void require_same(const View& one, const View& other, const std::string& what) {
  const auto [a, b] = std::ranges::mismatch(one, other);
  if (a == one.end() && b == other.end()) return;
  throw Violation(what + ": " + (a == one.end() ? "nothing" : shown(*a)) + " and " +
                  (b == other.end() ? "nothing" : shown(*b)));
}

View view_at(Engine& engine, const Range& range, const std::vector<Bytes>& keys,
             const Snapshot& at) {
  const View view = read_at_once(engine, range.space, keys, &at);
  require_same(view, scanned_by_cursor(engine, range, &at), "mget and cursor at a snapshot differ");
  if (auto* ordered = engine.as<Ordered>()) {
    ScanOptions options;
    options.at = &at;
    options.page_records = 7;
    require_same(view, scanned(*ordered, range, options), "mget and scan at a snapshot differ");
    options.reverse = true;
    require_same(view, scanned(*ordered, range, options),
                 "mget and reverse scan at a snapshot differ");
    if (ok(ordered->count_range(range, &at)) != view.size()) {
      throw Violation("mget and count_range at a snapshot differ");
    }
  }
  return view;
}

}  // namespace strata::consistency
