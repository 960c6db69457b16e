// Batches: effects in their order, conditions against the state before, refusals that change
// nothing.
#include "conformance/fixture.h"

namespace strata::conformance {
namespace {

CONFORMANCE_PART(Batches);

TEST_P(Batches, GiveAllTheirRecordsOneVersion) {
  NEEDS(atomic_batch);
  const Version before = put("a", "0");
  WriteBatch batch;
  batch.put(at("a"), "1");
  batch.put(at("b"), "2");
  batch.put({kOther, "c"}, "3");
  const Commit done = commit(batch);
  EXPECT_TRUE(done.applied());
  EXPECT_GT(done.version, before);
  EXPECT_EQ(info("a")->version, done.version);
  EXPECT_EQ(info("b")->version, done.version);
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), "2");
  EXPECT_EQ(count(kOther), 1u);
}

TEST_P(Batches, ApplyTheirEffectsInOrder) {
  NEEDS(atomic_batch);
  WriteBatch batch;
  batch.put(at("a"), "first");
  batch.put(at("a"), "second");
  batch.put(at("b"), "gone");
  batch.remove(at("b"));
  batch.remove(at("c"));
  batch.put(at("c"), "stays");
  batch.put(at("d"), "ab");
  batch.append(at("d"), "cd");
  batch.patch(at("d"), 1, 2, "-");
  batch.put(at("e1"), "gone");
  batch.delete_range(kSpace, "e", "f");
  batch.append(at("e1"), "fresh");
  batch.expire(at("e1"), now() + 5000);
  batch.expire(at("nobody"), now() + 5000);
  commit(batch);
  EXPECT_EQ(get("a"), "second");
  EXPECT_EQ(get("b"), std::nullopt);
  EXPECT_EQ(get("c"), "stays");
  EXPECT_EQ(get("d"), "a-d");
  EXPECT_EQ(get("e1"), "fresh");
  EXPECT_EQ(info("e1")->expires_ms, now() + 5000);
  EXPECT_EQ(get("nobody"), std::nullopt);
  EXPECT_EQ(count(), 4u);
}

TEST_P(Batches, CanBeCommittedAgainAndClearedAndCut) {
  WriteBatch batch;
  batch.append(at("k"), "x");
  commit(batch);
  commit(batch);
  EXPECT_EQ(get("k"), "xx");
  batch.put(at("other"), "y");
  batch.truncate_effects(1);
  commit(batch);
  EXPECT_EQ(get("k"), "xxx");
  EXPECT_EQ(get("other"), std::nullopt);
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(commit(batch).applied());
  EXPECT_EQ(count(), 1u);
}

TEST_P(Batches, BorrowValuesUntilTheyAreCommitted) {
  Bytes value(100000, 'v');
  WriteBatch batch;
  batch.put_borrowed(at("k"), value);
  commit(batch);
  value.assign(100000, 'w');
  EXPECT_EQ(get("k"), Bytes(100000, 'v'));
}

TEST_P(Batches, ApplyOnlyIfEveryConditionHolds) {
  const Version version = put("there", "v");
  struct Case {
    std::function<void(WriteBatch&)> conditions;
    std::optional<std::size_t> failed;
  };
  const KeyRef there = at("there");
  const KeyRef absent = at("absent");
  const std::vector<Case> cases = {
      {[&](WriteBatch& b) { b.require_present(there); }, {}},
      {[&](WriteBatch& b) { b.require_absent(absent); }, {}},
      {[&](WriteBatch& b) { b.require_unchanged(there, version); }, {}},
      {[&](WriteBatch& b) { b.require_unchanged(absent, {}); }, {}},
      {[&](WriteBatch& b) { b.require_absent(there); }, 0},
      {[&](WriteBatch& b) { b.require_present(absent); }, 0},
      {[&](WriteBatch& b) { b.require_unchanged(there, {}); }, 0},
      {[&](WriteBatch& b) { b.require_unchanged(there, {version.value + 1}); }, 0},
      {[&](WriteBatch& b) { b.require_unchanged(absent, version); }, 0},
      {[&](WriteBatch& b) {
         b.require_present(there);
         b.require_absent(absent);
         b.require_absent(there);
         b.require_present(absent);
       },
       2},
      {[&](WriteBatch& b) {
         b.require_present(there);
         b.require_absent(absent);
         b.require_unchanged(there, version);
       },
       {}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    WriteBatch batch;
    cases[i].conditions(batch);
    batch.put(at("effect"), std::to_string(i));
    const Commit done = commit(batch);
    EXPECT_EQ(done.failed, cases[i].failed);
    EXPECT_EQ(done.applied(), !cases[i].failed.has_value());
    EXPECT_EQ(done.version == Version{}, cases[i].failed.has_value());
    EXPECT_EQ(get("effect") == std::to_string(i), !cases[i].failed.has_value());
  }
}

TEST_P(Batches, JudgeConditionsBeforeTheirOwnEffects) {
  WriteBatch batch;
  batch.put(at("k"), "v");
  batch.require_absent(at("k"));
  EXPECT_TRUE(commit(batch).applied());
  EXPECT_EQ(commit(batch).failed, 0u);
}

TEST_P(Batches, OfConditionsAloneOnlyAnswer) {
  put("k", "v");
  WriteBatch batch;
  batch.require_present(at("k"));
  EXPECT_TRUE(commit(batch).applied());
  batch.require_absent(at("k"));
  EXPECT_EQ(commit(batch).failed, 1u);
  EXPECT_EQ(scan_keys_by_cursor(), std::vector<Bytes>{"k"});
}

TEST_P(Batches, WhenRefusedChangeNothing) {
  NEEDS(atomic_batch);
  put("a", "1");
  WriteBatch batch;
  batch.put(at("a"), "2");
  batch.put(at("b"), "2");
  batch.remove(at("a"));
  batch.delete_range(kSpace, "", "");
  batch.require_absent(at("a"));
  EXPECT_FALSE(commit(batch).applied());
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(count(), 1u);
}

TEST_P(Batches, OfManyEffectsAreWholeOrRefused) {
  WriteBatch batch;
  for (int i = 0; i < 1000; ++i) batch.put(at("key" + std::to_string(i)), std::to_string(i));
  if (!GetParam().has(CapabilityId::atomic_batch)) {
    EXPECT_FALSE(engine().commit(batch).has_value());
    EXPECT_EQ(count(), 0u);
    return;
  }
  commit(batch);
  EXPECT_EQ(count(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(get("key" + std::to_string(i)), std::to_string(i));
  }
}

TEST_P(Batches, PatchValues) {
  put("k", "hello world");
  const auto patch = [&](BytesView key, std::uint64_t offset, std::uint64_t erase,
                         BytesView bytes) {
    WriteBatch batch;
    batch.patch(at(key), offset, erase, bytes);
    return commit(batch);
  };
  const Commit done = patch("k", 6, 5, "there");
  EXPECT_EQ(get("k"), "hello there");
  EXPECT_EQ(info("k")->version, done.version);
  patch("k", 0, 1, "J");
  EXPECT_EQ(get("k"), "Jello there");
  patch("k", 5, 100, "");
  EXPECT_EQ(get("k"), "Jello");
  patch("k", 2, 0, "--");
  EXPECT_EQ(get("k"), "Je--llo");
  patch("k", WriteBatch::kAtEnd, 9, "!");
  EXPECT_EQ(get("k"), "Je--llo!");
  patch("k", 10, 3, "x");
  EXPECT_EQ(get("k"), Bytes("Je--llo!\0\0x", 11));
  patch("k", 0, ~std::uint64_t{0}, "");
  EXPECT_EQ(get("k"), "");
}

TEST_P(Batches, PatchAnAbsentKeyAsAnEmptyString) {
  WriteBatch batch;
  batch.patch(at("gap"), 3, 5, "x");
  commit(batch);
  EXPECT_EQ(get("gap"), Bytes("\0\0\0x", 4));
  EXPECT_EQ(static_cast<const RecordAttributes&>(*info("gap")), RecordAttributes{});
  batch.clear();
  batch.append(at("empty"), "");
  commit(batch);
  EXPECT_EQ(get("empty"), "");
}

TEST_P(Batches, PatchWithoutTouchingTypeAndExpiry) {
  RecordAttributes attributes;
  attributes.type = ValueType::json;
  attributes.expires_ms = now() + 1000;
  attributes.extension = "e";
  put("k", "{}", attributes);
  WriteBatch batch;
  batch.append(at("k"), " ");
  commit(batch);
  EXPECT_EQ(get("k"), "{} ");
  EXPECT_EQ(static_cast<const RecordAttributes&>(*info("k")), attributes);
}

TEST_P(Batches, PatchLargeValuesInTheMiddle) {
  Bytes value(300000, 'a');
  put("k", value);
  WriteBatch batch;
  batch.patch(at("k"), 150000, 3, "bbbbb");
  commit(batch);
  value.replace(150000, 3, "bbbbb");
  EXPECT_EQ(get("k"), value);
}

TEST_P(Batches, RefuseAPatchBeyondTheLongestValue) {
  put("k", "v");
  const std::uint64_t longest = GetParam().limits.value_bytes_max;
  for (const std::uint64_t offset : {longest, longest + 1, ~std::uint64_t{0} - 1}) {
    WriteBatch batch;
    if (GetParam().has(CapabilityId::atomic_batch)) batch.put(at("other"), "x");
    batch.patch(at("k"), offset, 0, "xx");
    EXPECT_CODE(engine().commit(batch), Code::invalid_argument);
  }
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(get("other"), std::nullopt);
}

TEST_P(Batches, DeleteRanges) {
  const auto delete_range = [&](BytesView begin, BytesView end) {
    WriteBatch batch;
    batch.delete_range(kSpace, begin, end);
    commit(batch);
  };
  for (const BytesView key : {"a", "b", "b1", "c", "d", "\xff", "\xff\xff"}) put(key, "v");
  ok(engine().put({kOther, "b"}, "v"));
  ok(engine().put({Keyspace{19}, "b"}, "v"));
  delete_range("b", "c");
  EXPECT_EQ(scan_keys_by_cursor(), (std::vector<Bytes>{"a", "c", "d", "\xff", "\xff\xff"}));
  delete_range("c", "c");
  delete_range("d", "b");
  delete_range("x", "z");
  EXPECT_EQ(count(), 5u);
  delete_range("", "b");
  EXPECT_EQ(scan_keys_by_cursor(), (std::vector<Bytes>{"c", "d", "\xff", "\xff\xff"}));
  delete_range("d", "");
  EXPECT_EQ(scan_keys_by_cursor(), std::vector<Bytes>{"c"});
  put("d", "again");
  EXPECT_EQ(get("d"), "again");
  delete_range("", "");
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(count(kOther), 1u);
  EXPECT_EQ(count(Keyspace{19}), 1u);
}

TEST_P(Batches, RefuseWhatIsBeyondTheLimits) {
  const Limits& limits = GetParam().limits;
  EXPECT_CODE(engine().put(at(Bytes(limits.key_bytes_max + 1, 'k')), "v"), Code::invalid_argument);
  RecordAttributes attributes;
  attributes.extension.assign(kExtensionBytesMax + 1, 'x');
  EXPECT_CODE(engine().put(at("k"), "v", attributes), Code::invalid_argument);
  WriteBatch batch;
  for (std::uint64_t i = 0; i <= limits.batch_effects_max; ++i) batch.remove(at("k"));
  EXPECT_FALSE(engine().commit(batch).has_value());
  EXPECT_EQ(count(), 0u);
}

TEST_P(Batches, AnswerReadsOfKeysBeyondTheLimitsWithoutHarm) {
  Value value;
  const auto found = engine().get(at(Bytes(GetParam().limits.key_bytes_max + 1, 'k')), value);
  if (found) {
    EXPECT_FALSE(found->has_value());
  } else {
    EXPECT_CODE(found, Code::invalid_argument);
  }
}

TEST_P(Batches, UpdateReadsAndWritesAsOne) {
  const auto add = [](BytesView text) {
    return [text](const Current& current, Update& update) -> Result<> {
      update.action = Update::Action::put;
      update.value.append(current.value).append(text);
      return {};
    };
  };
  const Commit first = ok(engine().update(at("k"), add("a")));
  EXPECT_EQ(info("k")->version, first.version);
  ok(engine().update(at("k"), add("b")));
  EXPECT_EQ(get("k"), "ab");
  const Version version = info("k")->version;
  const Commit kept = ok(engine().update(at("k"), [&](const Current& current, Update&) -> Result<> {
    EXPECT_TRUE(current.info.has_value());
    EXPECT_EQ(current.value, "ab");
    EXPECT_EQ(current.info->version, version);
    return {};
  }));
  EXPECT_TRUE(kept.applied());
  EXPECT_EQ(info("k")->version, version);
  ok(engine().update(at("k"), [](const Current&, Update& update) -> Result<> {
    update.action = Update::Action::remove;
    return {};
  }));
  EXPECT_EQ(get("k"), std::nullopt);
  ok(engine().update(at("k"), [](const Current& current, Update& update) -> Result<> {
    EXPECT_FALSE(current.info.has_value());
    EXPECT_TRUE(current.value.empty());
    update.action = Update::Action::put;
    update.attributes.type = ValueType::hash;
    return {};
  }));
  EXPECT_EQ(info("k")->type, ValueType::hash);
}

TEST_P(Batches, UpdateGivesTheErrorOfItsFunctionBackAndWritesNothing) {
  put("k", "v");
  const auto failed = engine().update(at("k"), [](const Current&, Update& update) -> Result<> {
    update.action = Update::Action::put;
    update.value = "w";
    return Error(Code::quota, "mine");
  });
  EXPECT_CODE(failed, Code::quota);
  EXPECT_EQ(get("k"), "v");
}

}  // namespace
}  // namespace strata::conformance
