#include "conformance/fixture.h"

#include "conformance/liar.h"
#include "io/posix_file_system.h"

namespace strata::conformance {

void Conformance::SetUp() { open(); }

void Conformance::TearDown() {
  if (engine_ == nullptr) return;
  const Result<> closed = engine_->close();
  EXPECT_TRUE(closed.has_value()) << closed.error().to_string();
}

Environment Conformance::environment() {
  return {.files = io::posix(), .clock = clock_, .folder = temp_.path()};
}

Result<std::unique_ptr<Engine>> Conformance::try_open(const Environment& with) {
  Result<std::unique_ptr<Engine>> opened = GetParam().open(with);
  if (!opened) return opened;
  return with_planted_fault(*std::move(opened));
}

void Conformance::open() { engine_ = ok(try_open(environment())); }

void Conformance::close() {
  ok(engine_->close());
  engine_.reset();
}

void Conformance::reopen() {
  close();
  open();
}

Version Conformance::put(BytesView key, BytesView value, const RecordAttributes& attributes) {
  return ok(engine().put(at(key), value, attributes));
}

Version Conformance::put_until(BytesView key, BytesView value, std::int64_t expires_ms) {
  RecordAttributes attributes;
  attributes.expires_ms = expires_ms;
  return put(key, value, attributes);
}

Version Conformance::remove(BytesView key) { return ok(engine().remove(at(key))); }

Commit Conformance::commit(const WriteBatch& batch) { return ok(engine().commit(batch)); }

std::optional<Bytes> Conformance::get(BytesView key, const Snapshot* at_snapshot) {
  Value value;
  ReadOptions options;
  options.at = at_snapshot;
  const auto found = ok(engine().get(at(key), value, options));
  if (!found) {
    EXPECT_TRUE(value.empty()) << "an absent key left bytes in the value";
    return std::nullopt;
  }
  EXPECT_EQ(found->value_bytes, value.size());
  return value.to_bytes();
}

std::optional<RecordInfo> Conformance::info(BytesView key, const Snapshot* at_snapshot) {
  Value value;
  ReadOptions options;
  options.at = at_snapshot;
  options.info_only = true;
  return ok(engine().get(at(key), value, options));
}

std::vector<Item> Conformance::scan(const Range& range, ScanOptions options) {
  std::vector<Item> items;
  ok(for_each(as<Ordered>(), range, options, [&](const ScanEntry& entry) {
    EXPECT_TRUE(options.keys_only || entry.info.value_bytes == entry.value.size());
    items.push_back({Bytes(entry.key), Bytes(entry.value)});
    return true;
  }));
  return items;
}

std::vector<Bytes> Conformance::keys(const Range& range, ScanOptions options) {
  options.keys_only = true;
  std::vector<Bytes> found;
  for (Item& item : scan(range, options)) {
    EXPECT_TRUE(item.value.empty());
    found.push_back(std::move(item.key));
  }
  return found;
}

std::map<Bytes, int> Conformance::cursor_keys(CursorOptions options, Keyspace space) {
  std::map<Bytes, int> seen;
  Bytes cursor;
  ScanPage page;
  // A scan that never ends is a failure, not a test that hangs.
  for (int step = 0; step < 100000; ++step) {
    page.clear();
    ok(engine().scan_some(space, cursor, options, page));
    for (std::size_t i = 0; i < page.size(); ++i) ++seen[Bytes(page[i].key)];
    if (cursor.empty()) return seen;
  }
  ADD_FAILURE() << "the cursor did not come to its end";
  return seen;
}

std::vector<Bytes> Conformance::scan_keys_by_cursor() {
  std::vector<Bytes> found;
  for (const auto& [key, times] : cursor_keys()) found.push_back(key);
  return found;
}

std::string subject_name(const testing::TestParamInfo<Subject>& info) { return info.param.name; }

}  // namespace strata::conformance
