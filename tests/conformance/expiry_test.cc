// Expiry: invisible at its very millisecond to every read, on every engine; space comes back.
#include "conformance/fixture.h"

namespace strata::conformance {
namespace {

CONFORMANCE_PART(Expiry);

TEST_P(Expiry, HidesARecordFromItsMillisecondOn) {
  put_until("k", "v", now() + 1000);
  clock_.advance_ms(999);
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(count(), 1u);
  clock_.advance_ms(1);
  EXPECT_EQ(get("k"), std::nullopt);
  EXPECT_EQ(info("k"), std::nullopt);
  EXPECT_EQ(count(), 0u);
  EXPECT_TRUE(cursor_keys().empty());
  EXPECT_FALSE(ok(engine().exists(at("k"))));
}

TEST_P(Expiry, HidesFromManyReadsAndScans) {
  for (int i = 0; i < 60; ++i) {
    const Bytes key = "key" + std::to_string(100 + i);
    put_until(key, "v", i % 3 == 0 ? kNeverExpires : now() + (i % 3) * 1000);
  }
  clock_.advance_ms(1000);
  EXPECT_EQ(count(), 40u);
  EXPECT_EQ(cursor_keys().size(), 40u);
  clock_.advance_ms(1000);
  EXPECT_EQ(count(), 20u);
  EXPECT_EQ(cursor_keys().size(), 20u);
  std::vector<Bytes> names = {"key100", "key101", "key102", "key103"};
  std::vector<Read> reads(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) reads[i].key = at(names[i]);
  ok(engine().mget(reads));
  EXPECT_TRUE(reads[0].info.has_value());
  EXPECT_FALSE(reads[1].info.has_value());
  EXPECT_FALSE(reads[2].info.has_value());
  EXPECT_TRUE(reads[3].info.has_value());
  if (!GetParam().has(CapabilityId::ordered)) return;
  EXPECT_EQ(scan_all().size(), 20u);
  ScanOptions options;
  options.reverse = true;
  options.page_records = 3;
  EXPECT_EQ(scan(Range::all(kSpace), options).size(), 20u);
  EXPECT_EQ(ok(as<Ordered>().count_range(Range::all(kSpace))), 20u);
}

TEST_P(Expiry, CountsAsAbsentInConditions) {
  const Version version = put_until("k", "v", now() + 10);
  clock_.advance_ms(10);
  WriteBatch batch;
  batch.require_present(at("k"));
  EXPECT_EQ(commit(batch).failed, 0u);
  batch.clear();
  batch.require_unchanged(at("k"), version);
  EXPECT_EQ(commit(batch).failed, 0u);
  batch.clear();
  batch.require_absent(at("k"));
  batch.require_unchanged(at("k"), {});
  batch.put(at("k"), "new");
  EXPECT_TRUE(commit(batch).applied());
  EXPECT_EQ(get("k"), "new");
  EXPECT_EQ(info("k")->expires_ms, kNeverExpires);
}

TEST_P(Expiry, CountsAsAbsentInEffectsAndUpdates) {
  put_until("patched", "old", now() + 10);
  put_until("expire", "old", now() + 10);
  put_until("updated", "old", now() + 10);
  put_until("removed", "old", now() + 10);
  clock_.advance_ms(10);
  WriteBatch batch;
  batch.append(at("patched"), "new");
  commit(batch);
  EXPECT_EQ(get("patched"), "new");
  EXPECT_EQ(info("patched")->expires_ms, kNeverExpires);
  batch.clear();
  batch.expire(at("expire"), kNeverExpires);
  commit(batch);
  EXPECT_EQ(get("expire"), std::nullopt);
  ok(engine().update(at("updated"), [](const Current& current, Update& update) -> Result<> {
    EXPECT_FALSE(current.info.has_value());
    update.action = Update::Action::put;
    update.value = Bytes(current.value) + "new";
    return {};
  }));
  EXPECT_EQ(get("updated"), "new");
  remove("removed");
  EXPECT_EQ(get("removed"), std::nullopt);
  EXPECT_EQ(count(), 2u);
}

TEST_P(Expiry, CanBeMovedAndLifted) {
  const Version version = put_until("k", "v", now() + 1000);
  WriteBatch batch;
  batch.expire(at("k"), now() + 2000);
  const Commit done = commit(batch);
  EXPECT_GT(done.version, version);
  EXPECT_EQ(info("k")->version, done.version);
  EXPECT_EQ(info("k")->expires_ms, now() + 2000);
  clock_.advance_ms(1500);
  EXPECT_EQ(get("k"), "v");
  batch.clear();
  batch.expire(at("k"), kNeverExpires);
  commit(batch);
  clock_.advance_ms(100000);
  EXPECT_EQ(get("k"), "v");
  batch.clear();
  batch.expire(at("k"), now() + 5);
  commit(batch);
  clock_.advance_ms(5);
  EXPECT_EQ(get("k"), std::nullopt);
  EXPECT_EQ(count(), 0u);
}

TEST_P(Expiry, InThePastHidesAtOnce) {
  put_until("k", "v", now() - 5);
  put_until("negative", "v", -1);
  put_until("now", "v", now());
  put("later", "v");
  WriteBatch batch;
  batch.expire(at("later"), 1);
  commit(batch);
  EXPECT_EQ(count(), 0u);
  EXPECT_TRUE(cursor_keys().empty());
  EXPECT_EQ(get("later"), std::nullopt);
}

TEST_P(Expiry, IsLiftedByAPlainPut) {
  put_until("k", "v", now() + 10);
  put("k", "w");
  clock_.advance_ms(1000);
  EXPECT_EQ(get("k"), "w");
  EXPECT_EQ(count(), 1u);
}

TEST_P(Expiry, GivesSpaceBackInStepsThatSayWhatTheyDid) {
  constexpr std::uint64_t kRecords = 200;
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    put_until("key" + std::to_string(i), Bytes(100, 'v'), now() + 10);
  }
  put("stays", "v");
  clock_.advance_ms(10);
  EXPECT_EQ(count(), 1u);
  std::uint64_t expired = 0;
  int steps = 0;
  while (steps < 10000) {
    ++steps;
    const Maintenance done = ok(engine().maintain(20));
    expired += done.expired;
    if (!done.more) break;
  }
  EXPECT_LT(steps, 10000);
  EXPECT_GT(steps, 2) << "one step of 20 records took far more";
  EXPECT_LE(expired, kRecords);
  EXPECT_EQ(ok(engine().maintain(20)).expired, 0u);
  EXPECT_EQ(count(), 1u);
  EXPECT_EQ(get("stays"), "v");
  put("key7", "again");
  EXPECT_EQ(count(), 2u);
}

TEST_P(Expiry, IsCountedExactlyWhileSpaceComesBack) {
  for (int i = 0; i < 50; ++i) put_until("key" + std::to_string(i), "v", now() + 1 + i);
  for (int i = 0; i < 50; ++i) {
    clock_.advance_ms(1);
    EXPECT_EQ(count(), 49u - static_cast<unsigned>(i));
    if (i % 7 == 0) ok(engine().maintain(3));
    if (i % 5 == 0) put("other", "v"), remove("other");
  }
}

}  // namespace
}  // namespace strata::conformance
