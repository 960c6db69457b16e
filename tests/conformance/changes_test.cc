// What stands beside reads and writes: feed, watch, two-phase commit, checkpoints.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "conformance/fixture.h"
#include "io/files.h"
#include "io/posix_file_system.h"

namespace strata::conformance {
namespace {

class Feed : public Conformance {
 protected:
  std::vector<Change> after(Version version, std::size_t limit = 1000) {
    std::vector<Change> changes;
    ok(as<ChangeFeed>().changes(version, limit, changes));
    return changes;
  }
};
INSTANTIATE_TEST_SUITE_P(Contract, Feed, testing::ValuesIn(subjects_here()), subject_name);

TEST_P(Feed, GivesEveryEffectAsItWasApplied) {
  NEEDS(change_feed);
  const Version start = put("start", "");
  RecordAttributes attributes;
  attributes.type = ValueType::json;
  attributes.expires_ms = now() + 1000;
  const Version first = put("k", "v", attributes);
  WriteBatch batch;
  batch.append(at("k"), "+");
  batch.expire(at("k"), now() + 2000);
  batch.remove(at("absent"));
  batch.remove(at("start"));
  batch.delete_range(kSpace, "x", "z");
  const Version second = commit(batch).version;
  const std::vector<Change> changes = after(start);
  ASSERT_EQ(changes.size(), 5u);
  EXPECT_EQ(changes[0].version, first);
  EXPECT_EQ(changes[0].key, "k");
  EXPECT_EQ(changes[0].value, "v");
  EXPECT_EQ(changes[0].attributes, attributes);
  EXPECT_EQ(changes[1].kind, ChangeKind::put);
  EXPECT_EQ(changes[1].value, "v+");
  EXPECT_EQ(changes[2].attributes.expires_ms, now() + 2000);
  EXPECT_EQ(changes[3].kind, ChangeKind::remove);
  EXPECT_EQ(changes[3].key, "start");
  EXPECT_EQ(changes[4].kind, ChangeKind::delete_range);
  EXPECT_EQ(changes[4].key, "x");
  EXPECT_EQ(changes[4].value, "z");
  EXPECT_EQ(changes[4].version, second);
  EXPECT_TRUE(after(second).empty());
}

TEST_P(Feed, TellsOfExpiry) {
  NEEDS(change_feed);
  const Version version = put_until("k", "v", now() + 10);
  clock_.advance_ms(10);
  while (ok(engine().maintain(10)).more) {
  }
  const std::vector<Change> changes = after(version);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, ChangeKind::expired);
  EXPECT_EQ(changes[0].key, "k");
  EXPECT_GT(changes[0].version, version);
}

TEST_P(Feed, GivesWholeVersionsInStepsThatAddUp) {
  NEEDS(change_feed);
  const Version start = put("start", "");
  for (int i = 0; i < 20; ++i) {
    WriteBatch batch;
    for (int k = 0; k < 3; ++k) batch.put(at("k" + std::to_string(k)), std::to_string(i));
    commit(batch);
  }
  Version last = start;
  std::size_t total = 0;
  while (true) {
    const std::vector<Change> step = after(last, 4);
    if (step.empty()) break;
    EXPECT_EQ(step.size() % 3, 0u);
    EXPECT_LE(step.size(), 6u);
    EXPECT_GT(step[0].version, last);
    total += step.size();
    last = step.back().version;
  }
  EXPECT_EQ(total, 60u);
}

TEST_P(Feed, WaitsForAChangeOrForTheTime) {
  NEEDS(change_feed);
  const Version version = put("k", "v");
  EXPECT_FALSE(ok(as<ChangeFeed>().wait_for_change(version, std::chrono::milliseconds(5))));
  EXPECT_TRUE(ok(as<ChangeFeed>().wait_for_change({version.value - 1}, std::chrono::hours(1))));
  std::thread writer([&] { static_cast<void>(engine().put(at("k"), "w").has_value()); });
  EXPECT_TRUE(ok(as<ChangeFeed>().wait_for_change(version, std::chrono::hours(1))));
  writer.join();
  EXPECT_EQ(after(version).size(), 1u);
}

CONFORMANCE_PART(Watching);

TEST_P(Watching, HearsOfEveryChangeInItsRangeUntilItEnds) {
  NEEDS(watch);
  std::mutex mutex;
  std::vector<Bytes> heard;
  bool all = false;
  auto handle =
      ok(as<Watch>().watch(Range::prefix(kSpace, "a"), [&](const KeyRef& key, bool everything) {
        const std::lock_guard lock(mutex);
        heard.emplace_back(key.key);
        all = all || everything;
      }));
  const auto said = [&](BytesView key) {
    const std::lock_guard lock(mutex);
    const bool found = std::ranges::count(heard, key) != 0 || all;
    heard.clear();
    all = false;
    return found;
  };
  put("a1", "v");
  EXPECT_TRUE(said("a1"));
  remove("a1");
  EXPECT_TRUE(said("a1"));
  WriteBatch batch;
  batch.append(at("a2"), "v");
  commit(batch);
  EXPECT_TRUE(said("a2"));
  batch.clear();
  batch.delete_range(kSpace, "", "");
  commit(batch);
  EXPECT_TRUE(said("a2"));
  put_until("a3", "v", now() + 10);
  EXPECT_TRUE(said("a3"));
  clock_.advance_ms(10);
  while (ok(engine().maintain(10)).more) {
  }
  EXPECT_TRUE(said("a3"));
  handle.reset();
  put("a4", "v");
  EXPECT_FALSE(said("a4"));
}

CONFORMANCE_PART(TwoPhase);

TEST_P(TwoPhase, AppliesOrDropsWhatWasPrepared) {
  NEEDS(prepare);
  WriteBatch batch;
  batch.put(at("a"), "1");
  batch.require_absent(at("a"));
  EXPECT_TRUE(ok(as<Prepare>().prepare("one", batch)).applied());
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(ok(as<Prepare>().in_doubt()), std::vector<Bytes>{"one"});
  EXPECT_CODE(engine().put(at("a"), "other"), Code::busy);
  WriteBatch range;
  range.delete_range(kSpace, "", "");
  EXPECT_CODE(engine().commit(range), Code::busy);
  put("b", "free");
  EXPECT_CODE(as<Prepare>().prepare("two", batch), Code::busy);
  EXPECT_CODE(as<Prepare>().finish("unknown", true), Code::invalid_argument);
  const Commit done = ok(as<Prepare>().finish("one", true));
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(info("a")->version, done.version);
  EXPECT_EQ(ok(as<Prepare>().prepare("three", batch)).failed, 0u);
  EXPECT_TRUE(ok(as<Prepare>().in_doubt()).empty());
  batch.clear();
  batch.put(at("a"), "dropped");
  ok(as<Prepare>().prepare("four", batch));
  ok(as<Prepare>().finish("four", false));
  EXPECT_EQ(get("a"), "1");
  put("a", "2");
}

TEST_P(TwoPhase, RefusesBadIds) {
  NEEDS(prepare);
  WriteBatch batch;
  batch.put(at("a"), "1");
  EXPECT_CODE(as<Prepare>().prepare("", batch), Code::invalid_argument);
  EXPECT_CODE(as<Prepare>().prepare(Bytes(201, 'x'), batch), Code::invalid_argument);
  EXPECT_TRUE(as<Prepare>().prepare(Bytes(200, 'x'), batch).has_value());
  EXPECT_TRUE(as<Prepare>().finish(Bytes(200, 'x'), false).has_value());
}

TEST_P(TwoPhase, RemembersThroughReopen) {
  NEEDS(prepare);
  if (!GetParam().keeps) return;
  put("k", "old");
  WriteBatch batch;
  RecordAttributes attributes;
  attributes.type = ValueType::set;
  batch.put(at("a"), Bytes("\0\xff", 2), attributes);
  batch.append(at("k"), "+");
  batch.delete_range(kSpace, "x", "z");
  batch.require_present(at("k"));
  ok(as<Prepare>().prepare("id", batch));
  reopen();
  EXPECT_EQ(ok(as<Prepare>().in_doubt()), std::vector<Bytes>{"id"});
  EXPECT_CODE(engine().put(at("k"), "other"), Code::busy);
  EXPECT_CODE(engine().put(at("y"), "other"), Code::busy);
  ok(as<Prepare>().finish("id", true));
  EXPECT_EQ(get("k"), "old+");
  EXPECT_EQ(info("a")->type, ValueType::set);
  reopen();
  EXPECT_TRUE(ok(as<Prepare>().in_doubt()).empty());
}

class Checkpoints : public Conformance {
 protected:
  io::TempFolder outside_;
  std::string folder() const { return io::join_path(outside_.path(), "checkpoint"); }
};
INSTANTIATE_TEST_SUITE_P(Contract, Checkpoints, testing::ValuesIn(subjects_here()), subject_name);

TEST_P(Checkpoints, BringTheirContentBack) {
  NEEDS(persistence);
  RecordAttributes attributes;
  attributes.type = ValueType::stream;
  attributes.extension = "ext";
  attributes.expires_ms = now() + 1000;
  put("a", "1", attributes);
  put("large", Bytes(300000, 'l'));
  ok(engine().put({kOther, "o"}, "other"));
  ok(engine().put({kSystemKeyspace, "s"}, "system"));
  const Checkpoint made = ok(as<Persistence>().checkpoint(folder()));
  EXPECT_EQ(made.time_ms, now());
  EXPECT_GT(made.bytes, 0u);
  put("a", "2");
  remove("large");
  put("new", "x");
  const Version before = put("more", "y");
  ok(as<Persistence>().restore(folder()));
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(static_cast<const RecordAttributes&>(*info("a")), attributes);
  EXPECT_EQ(get("large"), Bytes(300000, 'l'));
  EXPECT_EQ(get("new"), std::nullopt);
  EXPECT_EQ(count(), 2u);
  EXPECT_EQ(count(kOther), 1u);
  EXPECT_EQ(count(kSystemKeyspace), 1u);
  EXPECT_GT(put("after", "z"), before) << "versions rise over a restore";
  clock_.advance_ms(1000);
  EXPECT_EQ(get("a"), std::nullopt);
  if (GetParam().keeps) reopen();
  EXPECT_EQ(get("large"), Bytes(300000, 'l'));
  EXPECT_EQ(get("after"), "z");
}

TEST_P(Checkpoints, AreMadeWhileWritersRun) {
  NEEDS(persistence);
  NEEDS(atomic_batch);
  std::atomic<bool> stop{false};  // relaxed: ends the writer soon
  std::thread writer([&] {
    for (int i = 0; !stop.load(std::memory_order_relaxed); ++i) {
      WriteBatch batch;
      batch.put(at("a"), std::to_string(i));
      batch.put(at("z"), std::to_string(i));
      if (!engine().commit(batch)) return;
    }
  });
  while (count() == 0) std::this_thread::yield();
  ok(as<Persistence>().checkpoint(folder()));
  stop.store(true, std::memory_order_relaxed);
  writer.join();
  ok(as<Persistence>().restore(folder()));
  EXPECT_EQ(get("a"), get("z"));
  EXPECT_EQ(count(), 2u);
}

TEST_P(Checkpoints, RefuseAFolderThatIsNotTheirs) {
  NEEDS(persistence);
  put("a", "1");
  ok(as<Persistence>().checkpoint(folder()));
  EXPECT_FALSE(as<Persistence>().checkpoint(folder()).has_value()) << "it is not empty";
  EXPECT_FALSE(as<Persistence>().restore(io::join_path(outside_.path(), "absent")).has_value());
  const std::string strange = io::join_path(outside_.path(), "strange");
  ok(io::create_directories(io::posix(), strange));
  EXPECT_FALSE(as<Persistence>().restore(strange).has_value());
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(count(), 1u);
}

TEST_P(Checkpoints, AndCompactionLeaveTheContentAlone) {
  NEEDS(persistence);
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(i), Bytes(500, 'v'));
  for (int i = 0; i < 90; ++i) remove("k" + std::to_string(i));
  ok(as<Persistence>().compact());
  EXPECT_EQ(count(), 10u);
  EXPECT_EQ(get("k95"), Bytes(500, 'v'));
}

}  // namespace
}  // namespace strata::conformance
