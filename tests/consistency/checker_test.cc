// The checker itself: histories made by hand, true ones and planted impossible ones.
#include "consistency/checker.h"

#include <gtest/gtest.h>

namespace strata::consistency {
namespace {

constexpr Version kOld{1};

Stored stored(Bytes value, std::uint64_t version) { return {std::move(value), Version{version}}; }

/// Two keys, "x" and "y", written by version 1.
State two_keys() { return {{stored("x", 1), kOld}, {stored("y", 1), kOld}}; }

Call during(std::uint64_t invoked, std::uint64_t returned) {
  Call call;
  call.name = "call";
  call.invoked = invoked;
  call.returned = returned;
  return call;
}

Call read(std::uint64_t invoked, std::uint64_t returned, std::vector<std::optional<Stored>> seen) {
  Call call = during(invoked, returned);
  for (std::size_t key = 0; key < seen.size(); ++key) call.seen.push_back({key, seen[key]});
  return call;
}

Call put(std::uint64_t invoked, std::uint64_t returned, Bytes value, std::uint64_t version) {
  Call call = during(invoked, returned);
  call.effects.push_back({EffectKind::put, 0, std::move(value)});
  call.version = Version{version};
  return call;
}

/// Both keys become `value`.
Call put_both(std::uint64_t invoked, std::uint64_t returned, Bytes value, std::uint64_t version) {
  Call call = put(invoked, returned, value, version);
  call.effects.push_back({EffectKind::put, 1, std::move(value)});
  return call;
}

/// An update that saw `seen` and wrote one more byte.
Call step(std::uint64_t invoked, std::uint64_t returned, const Stored& seen,
          std::uint64_t version) {
  Call call = put(invoked, returned, seen.value + "+", version);
  call.seen.push_back({0, seen});
  return call;
}

bool explained(const std::vector<Call>& calls) {
  return linearizable(calls, two_keys(), Removals::ordered);
}

TEST(Checker, ExplainsWhatHappenedOneAfterAnother) {
  EXPECT_TRUE(explained({}));
  EXPECT_TRUE(explained({read(1, 2, {stored("x", 1)}), put(3, 4, "n", 2),
                         read(5, 6, {stored("n", 2), stored("y", 1)})}));
}

TEST(Checker, LetsAReadDuringAWriteSeeEitherState) {
  EXPECT_TRUE(explained({put(1, 4, "n", 2), read(2, 3, {stored("x", 1)})}));
  EXPECT_TRUE(explained({put(1, 4, "n", 2), read(2, 3, {stored("n", 2)})}));
}

TEST(Checker, RejectsAStaleRead) {
  EXPECT_FALSE(explained({put(1, 2, "n", 2), read(3, 4, {stored("x", 1)})}));
}

TEST(Checker, RejectsAReadOfTheFuture) {
  EXPECT_FALSE(explained({read(1, 2, {stored("n", 2)}), put(3, 4, "n", 2)}));
}

TEST(Checker, RejectsReadsThatGoBack) {
  EXPECT_FALSE(
      explained({put(1, 9, "n", 2), read(2, 3, {stored("n", 2)}), read(4, 5, {stored("x", 1)})}));
}

TEST(Checker, RejectsALostUpdate) {
  // Both saw the same record: one of them has to have seen the other's.
  EXPECT_FALSE(explained({step(1, 4, stored("x", 1), 2), step(2, 3, stored("x", 1), 3)}));
  EXPECT_TRUE(explained({step(1, 4, stored("x", 1), 2), step(2, 3, stored("x+", 2), 3)}));
}

TEST(Checker, RejectsHalfABatch) {
  EXPECT_FALSE(explained({put_both(1, 4, "n", 2), read(2, 3, {stored("n", 2), stored("y", 1)})}));
  EXPECT_FALSE(explained({put_both(1, 2, "n", 2), read(3, 4, {stored("n", 2), stored("y", 1)})}));
  EXPECT_TRUE(explained({put_both(1, 4, "n", 2), read(2, 3, {stored("n", 2), stored("n", 2)})}));
}

TEST(Checker, RejectsTwoReadersThatSawTwoWritesInTwoOrders) {
  // Each write is of one key; who reads both keys agrees with the others on which came first.
  Call other = during(1, 9);
  other.effects.push_back({EffectKind::put, 1, "m"});
  other.version = Version{3};
  EXPECT_FALSE(explained({put(1, 9, "n", 2), other, read(2, 3, {stored("n", 2), stored("y", 1)}),
                          read(2, 3, {stored("x", 1), stored("m", 3)})}));
}

TEST(Checker, RejectsARemovedRecordThatComesBack) {
  Call remove = during(1, 2);
  remove.effects.push_back({EffectKind::remove, 0, {}});
  remove.version = Version{2};
  EXPECT_TRUE(explained({remove, read(3, 4, {std::nullopt})}));
  EXPECT_FALSE(explained({remove, read(3, 4, {std::nullopt}), read(5, 6, {stored("x", 1)})}));
}

TEST(Checker, RejectsAConditionThatWasNotJudged) {
  Call commit = put(3, 4, "m", 3);
  commit.conditions.push_back({ConditionKind::unchanged, 0, kOld});
  EXPECT_FALSE(explained({put(1, 2, "n", 2), commit}));
  commit.failed = 0;
  EXPECT_TRUE(explained({put(1, 2, "n", 2), commit}));
  // And one that was refused without a reason.
  EXPECT_FALSE(explained({commit}));
}

TEST(Checker, RejectsBlameOfTheWrongCondition) {
  Call commit = during(1, 2);
  commit.conditions = {{ConditionKind::present, 0, {}}, {ConditionKind::absent, 1, {}}};
  commit.failed = 0;
  EXPECT_FALSE(explained({commit}));
  commit.failed = 1;
  EXPECT_TRUE(explained({commit}));
}

TEST(Checker, RejectsAWriteWhoseVersionDoesNotRise) {
  EXPECT_FALSE(explained({put(1, 2, "n", 1)}));
  EXPECT_FALSE(explained({put(1, 2, "n", 3), put(3, 4, "m", 2)}));
  EXPECT_TRUE(explained({put(1, 4, "n", 3), put(2, 3, "m", 2)}));
}

TEST(Checker, AsksForVersionsOfRemovalsOnlyWhereSnapshotsTellThemApart) {
  Call remove = during(3, 4);
  remove.effects.push_back({EffectKind::remove, 0, {}});
  remove.version = Version{2};
  const std::vector<Call> calls = {put(1, 2, "n", 3), remove, read(5, 6, {std::nullopt})};
  EXPECT_FALSE(linearizable(calls, two_keys(), Removals::ordered));
  EXPECT_TRUE(linearizable(calls, two_keys(), Removals::unordered));
}

TEST(Checker, RejectsARefusedCommitThatWroteAndAnAppendThatIsNotThere) {
  Call commit = put(1, 2, "n", 0);
  commit.conditions.push_back({ConditionKind::absent, 0, {}});
  commit.failed = 0;
  EXPECT_FALSE(explained({commit, read(3, 4, {stored("n", 2)})}));
  Call append = during(1, 2);
  append.effects.push_back({EffectKind::patch, 0, "!"});
  append.version = Version{2};
  EXPECT_TRUE(explained({append, read(3, 4, {stored("x!", 2)})}));
  EXPECT_FALSE(explained({append, read(3, 4, {stored("!", 2)})}));
}

TEST(Checker, SearchesWideHistoriesInShortTime) {
  // Blind writes that all overlap, and one read that no order explains: without its memory the
  // search would try every order of them.
  std::vector<Call> calls;
  for (std::uint64_t i = 0; i < 12; ++i) {
    Call append = during(1, 90);
    append.effects.push_back({EffectKind::put, 0, "n"});
    append.version = Version{2 + i};
    calls.push_back(append);
  }
  calls.push_back(read(91, 92, {stored("n", 13)}));
  EXPECT_TRUE(explained(calls));
  calls.back() = read(91, 92, {stored("n", 12)});
  EXPECT_FALSE(explained(calls));
}

TEST(Shown, NamesEveryPartOfACall) {
  Call call = step(3, 8, stored("x", 1), 2);
  call.conditions.push_back({ConditionKind::present, 1, {}});
  EXPECT_EQ(shown(std::vector{call}),
            "  [3,8] thread 0 call k0=\"x\"@1 if k1 present k0:=\"x+\" -> 2\n");
}

}  // namespace
}  // namespace strata::consistency
