// Opening, closing, opening again; durability; read-only; large values.
#include <functional>

#include "conformance/fixture.h"
#include "io/files.h"

namespace strata::conformance {
namespace {

CONFORMANCE_PART(Lifecycle);

TEST_P(Lifecycle, KeepsEverythingThroughCloseAndReopen) {
  if (!GetParam().keeps) return;
  RecordAttributes attributes;
  attributes.type = ValueType::hash;
  attributes.expires_ms = now() + 100000;
  attributes.dictionary = 9;
  attributes.extension = Bytes("x\0y", 3);
  const Version first = put("a", "1", attributes);
  put("b", Bytes(100000, 'b'));
  put("gone", "x");
  put_until("expires", "x", now() + 50);
  ok(engine().put({kOther, "other"}, "o"));
  const Version last = remove("gone");
  reopen();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(static_cast<const RecordAttributes&>(*info("a")), attributes);
  EXPECT_EQ(info("a")->version, first);
  EXPECT_EQ(get("b"), Bytes(100000, 'b'));
  EXPECT_EQ(get("gone"), std::nullopt);
  EXPECT_EQ(get("expires"), "x");
  EXPECT_EQ(count(), 3u);
  EXPECT_EQ(count(kOther), 1u);
  EXPECT_GT(put("new", "n"), last) << "versions rise over a reopen";
  clock_.advance_ms(50);
  EXPECT_EQ(get("expires"), std::nullopt);
  EXPECT_EQ(count(), 3u);
  reopen();
  EXPECT_EQ(get("new"), "n");
  EXPECT_EQ(count(), 3u);
  EXPECT_EQ(get("expires"), std::nullopt);
}

TEST_P(Lifecycle, ReopensManyTimesAndEmpty) {
  if (!GetParam().keeps) return;
  reopen();
  for (int i = 0; i < 5; ++i) {
    WriteBatch batch;
    batch.append(at("k"), std::to_string(i));
    commit(batch);
    reopen();
  }
  EXPECT_EQ(get("k"), "01234");
  remove("k");
  reopen();
  EXPECT_EQ(count(), 0u);
}

TEST_P(Lifecycle, CountsExactlyAfterReopen) {
  if (!GetParam().keeps) return;
  for (int i = 0; i < 100; ++i) put("key" + std::to_string(i), "v");
  for (int i = 0; i < 30; ++i) remove("key" + std::to_string(i));
  for (int i = 30; i < 40; ++i) put_until("key" + std::to_string(i), "v", now() + 10);
  reopen();
  EXPECT_EQ(count(), 70u);
  clock_.advance_ms(10);
  EXPECT_EQ(count(), 60u);
  EXPECT_EQ(cursor_keys().size(), 60u);
}

TEST_P(Lifecycle, RefusesEveryCallAfterClose) {
  put("k", "v");
  ok(engine().close());
  Value value;
  ScanPage page;
  Bytes cursor;
  std::vector<Read> reads(1);
  WriteBatch batch;
  batch.put(at("k"), "w");
  EXPECT_CODE(engine().get(at("k"), value), Code::closed);
  EXPECT_CODE(engine().mget(reads), Code::closed);
  EXPECT_CODE(engine().commit(batch), Code::closed);
  EXPECT_CODE(engine().put(at("k"), "w"), Code::closed);
  EXPECT_CODE(engine().remove(at("k")), Code::closed);
  EXPECT_CODE(engine().update(at("k"), [](const Current&, Update&) -> Result<> { return {}; }),
              Code::closed);
  EXPECT_CODE(engine().scan_some(kSpace, cursor, {}, page), Code::closed);
  EXPECT_CODE(engine().count(kSpace), Code::closed);
  EXPECT_CODE(engine().maintain(1), Code::closed);
  if (GetParam().has(CapabilityId::ordered)) {
    EXPECT_CODE(as<Ordered>().scan(Range::all(kSpace), {}, page), Code::closed);
  }
  if (GetParam().has(CapabilityId::snapshots)) {
    EXPECT_CODE(as<Snapshots>().snapshot(), Code::closed);
  }
  engine_.reset();
}

TEST_P(Lifecycle, RefusesADurabilityThatItCannotKeep) {
  const auto strength = [](Durability durability) { return static_cast<int>(durability); };
  for (const Durability asked :
       {Durability::store_default, Durability::none, Durability::interval, Durability::commit}) {
    SCOPED_TRACE(strength(asked));
    const Bytes key = "k" + std::to_string(strength(asked));
    WriteOptions options;
    options.durability = asked;
    const auto done = engine().put(at(key), "v", {}, options);
    if (strength(asked) <= strength(GetParam().limits.durability_max)) {
      EXPECT_TRUE(done.has_value()) << done.error().to_string();
      EXPECT_EQ(get(key), "v");
    } else {
      EXPECT_CODE(done, Code::not_supported);
      EXPECT_EQ(get(key), std::nullopt);
    }
  }
}

TEST_P(Lifecycle, ReadOnlyReadsAndRefusesWrites) {
  if (!GetParam().keeps) return;
  put("k", "v");
  put_until("expires", "v", now() + 10);
  close();
  Environment environment = this->environment();
  environment.read_only = true;
  environment.create = false;
  engine_ = ok(try_open(environment));
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(count(), 2u);
  EXPECT_EQ(cursor_keys().size(), 2u);
  EXPECT_CODE(engine().put(at("k"), "w"), Code::not_supported);
  WriteBatch batch;
  batch.delete_range(kSpace, "", "");
  EXPECT_CODE(engine().commit(batch), Code::not_supported);
  clock_.advance_ms(10);
  EXPECT_EQ(count(), 1u);
  ok(engine().maintain(10));
  EXPECT_EQ(get("k"), "v");
  reopen();
  EXPECT_EQ(get("k"), "v");
}

TEST_P(Lifecycle, WithoutCreateAStoreMustBeThere) {
  if (!GetParam().keeps) return;
  Environment environment = this->environment();
  environment.create = false;
  environment.folder = io::join_path(temp_.path(), "absent");
  ok(io::create_directories(environment.files, environment.folder));
  EXPECT_FALSE(try_open(environment).has_value());
}

TEST_P(Lifecycle, ReportsFiguresThatAddUp) {
  for (int i = 0; i < 10; ++i) put("k" + std::to_string(i), Bytes(1000, 'v'));
  ok(engine().put({kSystemKeyspace, "system"}, "not counted"));
  const Stats stats = engine().stats();
  EXPECT_EQ(stats.keys, 10u);
  EXPECT_GE(stats.bytes_live, 10 * 1000u);
  EXPECT_EQ(stats.snapshots, 0u);
}

TEST_P(Lifecycle, KeepsValuesUpToTheLongest) {
  const std::uint64_t longest = GetParam().limits.value_bytes_max;
  const std::uint64_t bytes = kSlowBuild ? std::min<std::uint64_t>(longest, 16ull << 20) : longest;
  // Not compressible into nothing, and different at each place.
  Bytes value(bytes, '\0');
  std::uint64_t state = 1;
  for (std::uint64_t i = 0; i + 8 <= bytes; i += 8) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::memcpy(value.data() + i, &state, 8);
  }
  WriteBatch batch;
  batch.put_borrowed(at("large"), value);
  commit(batch);
  Value found;
  ok(engine().get(at("large"), found));
  EXPECT_TRUE(found.view() == value);
  EXPECT_EQ(info("large")->value_bytes, bytes);
  if (bytes == longest) {
    batch.clear();
    batch.append(at("large"), "x");
    EXPECT_CODE(engine().commit(batch), Code::invalid_argument);
    value.push_back('x');
    batch.clear();
    batch.put_borrowed(at("large"), value);
    EXPECT_CODE(engine().commit(batch), Code::invalid_argument);
    value.pop_back();
  }
  found.clear();
  if (GetParam().keeps) reopen();
  ok(engine().get(at("large"), found));
  EXPECT_TRUE(found.view() == value);
  remove("large");
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace strata::conformance
