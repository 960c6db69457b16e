// Views that do not move: snapshots, and transactions over them.
#include <atomic>
#include <functional>
#include <thread>

#include "conformance/fixture.h"

namespace strata::conformance {
namespace {

CONFORMANCE_PART(SnapshotViews);

TEST_P(SnapshotViews, AreExactlyTheWritesBeforeThem) {
  NEEDS(snapshots);
  put("a", "1");
  put("b", "1");
  const Version last = put("gone", "1");
  const auto snapshot = ok(as<Snapshots>().snapshot());
  EXPECT_GE(snapshot->version(), last);
  EXPECT_EQ(snapshot->time_ms(), now());
  put("a", "2");
  remove("gone");
  put("new", "2");
  WriteBatch batch;
  batch.delete_range(kSpace, "b", "c");
  commit(batch);
  EXPECT_EQ(get("a", snapshot.get()), "1");
  EXPECT_EQ(get("b", snapshot.get()), "1");
  EXPECT_EQ(get("gone", snapshot.get()), "1");
  EXPECT_EQ(get("new", snapshot.get()), std::nullopt);
  EXPECT_EQ(info("gone", snapshot.get())->version, last);
  EXPECT_EQ(get("a"), "2");
  CursorOptions cursor;
  cursor.at = snapshot.get();
  EXPECT_EQ(cursor_keys(cursor).size(), 3u);
  EXPECT_EQ(engine().stats().snapshots, 1u);
  if (!GetParam().has(CapabilityId::ordered)) return;
  ScanOptions options;
  options.at = snapshot.get();
  const std::vector<Item> seen = {{"a", "1"}, {"b", "1"}, {"gone", "1"}};
  EXPECT_EQ(scan(Range::all(kSpace), options), seen);
  EXPECT_EQ(ok(as<Ordered>().count_range(Range::all(kSpace), snapshot.get())), 3u);
  options.reverse = true;
  EXPECT_EQ(scan(Range::all(kSpace), options).size(), 3u);
}

TEST_P(SnapshotViews, JudgeExpiryAtTheirOwnTime) {
  NEEDS(snapshots);
  put_until("soon", "v", now() + 10);
  put_until("later", "v", now() + 100);
  const auto before = ok(as<Snapshots>().snapshot());
  clock_.advance_ms(10);
  const auto after = ok(as<Snapshots>().snapshot());
  clock_.advance_ms(1000);
  while (ok(engine().maintain(100)).more) {
  }
  EXPECT_EQ(get("soon", before.get()), "v");
  EXPECT_EQ(get("later", before.get()), "v");
  EXPECT_EQ(get("soon", after.get()), std::nullopt);
  EXPECT_EQ(get("later", after.get()), "v");
  EXPECT_EQ(get("later"), std::nullopt);
}

TEST_P(SnapshotViews, OfDifferentTimesLiveSideBySide) {
  NEEDS(snapshots);
  std::vector<std::unique_ptr<Snapshot>> snapshots;
  for (int i = 0; i < 10; ++i) {
    if (i % 3 == 2) {
      remove("k");
    } else {
      put("k", std::to_string(i));
    }
    snapshots.push_back(ok(as<Snapshots>().snapshot()));
  }
  // Let go in an order of its own.
  for (const int gone : {4, 9, 0}) snapshots[static_cast<std::size_t>(gone)].reset();
  ok(engine().maintain(1000));
  for (int i = 0; i < 10; ++i) {
    const auto& snapshot = snapshots[static_cast<std::size_t>(i)];
    if (snapshot == nullptr) continue;
    const auto expected = i % 3 == 2 ? std::nullopt : std::optional<Bytes>(std::to_string(i));
    EXPECT_EQ(get("k", snapshot.get()), expected) << i;
  }
}

TEST_P(SnapshotViews, StayTheSameWhileWritersRun) {
  NEEDS(snapshots);
  NEEDS(ordered);
  NEEDS(atomic_batch);
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(i), "0");
  std::atomic<bool> stop{false};  // relaxed: ends the writer soon
  std::thread writer([&] {
    for (int i = 1; !stop.load(std::memory_order_relaxed); ++i) {
      WriteBatch batch;
      for (int k = 0; k < 20; ++k) batch.put(at("k" + std::to_string(k)), std::to_string(i));
      if (!engine().commit(batch)) return;
    }
  });
  for (int round = 0; round < 30; ++round) {
    const auto snapshot = ok(as<Snapshots>().snapshot());
    ScanOptions options;
    options.at = snapshot.get();
    options.page_records = 3;
    const std::vector<Item> first = scan(Range::all(kSpace), options);
    EXPECT_EQ(first.size(), 20u);
    for (const Item& item : first) EXPECT_EQ(item.value, first[0].value);
    EXPECT_EQ(scan(Range::all(kSpace), options), first);
    EXPECT_EQ(get("k7", snapshot.get()), first[0].value);
  }
  stop.store(true, std::memory_order_relaxed);
  writer.join();
}

class TransactionViews : public Conformance {
 protected:
  std::unique_ptr<Transaction> begin(Isolation isolation = Isolation::snapshot) {
    TransactionOptions options;
    options.isolation = isolation;
    return ok(as<Transactions>().begin(options));
  }
  std::optional<Bytes> read(Transaction& transaction, BytesView key) {
    Read read;
    read.key = at(key);
    ok(transaction.mget(std::span(&read, 1)));
    return read.info ? std::optional<Bytes>(read.value.to_bytes()) : std::nullopt;
  }
  std::vector<Item> scan_in(Transaction& transaction, const Range& range,
                            ScanOptions options = {}) {
    std::vector<Item> items;
    Range rest = range;
    ScanPage page;
    do {
      ok(transaction.scan(rest, options, page));
      for (std::size_t i = 0; i < page.size(); ++i) {
        items.push_back({Bytes(page[i].key), Bytes(page[i].value)});
      }
      if (page.empty()) break;
      if (options.reverse) {
        rest.end = Bytes(page[page.size() - 1].key);
      } else {
        rest.begin = Bytes(page[page.size() - 1].key) + '\0';
      }
    } while (page.more());
    return items;
  }
};
INSTANTIATE_TEST_SUITE_P(Contract, TransactionViews, testing::ValuesIn(subjects_here()),
                         subject_name);

TEST_P(TransactionViews, ReadTheirSnapshotUnderTheirOwnWrites) {
  NEEDS(transactions);
  put("a", "1");
  put("b", "1");
  put("c", "1");
  const auto transaction = begin();
  put("a", "other");
  put("d", "other");
  EXPECT_EQ(read(*transaction, "a"), "1");
  EXPECT_EQ(read(*transaction, "d"), std::nullopt);
  transaction->writes().put(at("b"), "mine");
  transaction->writes().append(at("b"), "+");
  transaction->writes().remove(at("c"));
  transaction->writes().put(at("e"), "mine");
  EXPECT_EQ(read(*transaction, "b"), "mine+");
  EXPECT_EQ(read(*transaction, "c"), std::nullopt);
  std::vector<Item> seen = {{"a", "1"}, {"b", "mine+"}, {"e", "mine"}};
  for (const std::uint32_t records : {1u, 2u, 100u}) {
    ScanOptions options;
    options.page_records = records;
    EXPECT_EQ(scan_in(*transaction, Range::all(kSpace), options), seen);
    options.reverse = true;
    EXPECT_EQ(scan_in(*transaction, Range::all(kSpace), options),
              std::vector<Item>(seen.rbegin(), seen.rend()));
  }
  transaction->writes().delete_range(kSpace, "", "b\xff");
  seen = {{"e", "mine"}};
  EXPECT_EQ(scan_in(*transaction, Range::all(kSpace)), seen);
  EXPECT_EQ(get("b"), "1") << "not committed yet";
}

TEST_P(TransactionViews, CommitAllTheirWritesOrRollBack) {
  NEEDS(transactions);
  auto transaction = begin();
  transaction->writes().put(at("a"), "1");
  transaction->writes().put(at("b"), "1");
  const Commit done = ok(transaction->commit());
  EXPECT_GT(done.version, transaction->read_version());
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(info("b")->version, done.version);
  EXPECT_FALSE(transaction->commit().has_value()) << "it is over";
  transaction = begin();
  transaction->writes().put(at("a"), "rolled back");
  transaction.reset();
  EXPECT_EQ(get("a"), "1");
}

TEST_P(TransactionViews, LetTheFirstCommitterWin) {
  NEEDS(transactions);
  put("k", "0");
  const auto check = [&](const std::function<void()>& other, bool conflicts) {
    const auto transaction = begin();
    transaction->writes().put(at("k"), "mine");
    other();
    const auto done = transaction->commit();
    EXPECT_EQ(done.has_value(), !conflicts);
    if (!done) {
      EXPECT_EQ(done.error().code(), Code::conflict);
    }
  };
  check([&] { put("other", "x"); }, false);
  check([&] { put("k", "x"); }, true);
  check([&] { remove("k"); }, true);
  put("k", "0");
  check(
      [&] {
        WriteBatch batch;
        batch.delete_range(kSpace, "", "");
        commit(batch);
      },
      true);
  check(
      [&] {
        put("k", "x");
        remove("k");
      },
      true);
  const auto transaction = begin();
  transaction->writes().delete_range(kSpace, "r", "s");
  put("r1", "new");
  EXPECT_CODE(transaction->commit(), Code::conflict);
}

TEST_P(TransactionViews, AllowWriteSkewOnlyWithoutSerializable) {
  NEEDS(transactions);
  for (const Isolation isolation : {Isolation::snapshot, Isolation::serializable}) {
    put("x", "1");
    put("y", "1");
    const auto one = begin(isolation);
    const auto two = begin(isolation);
    EXPECT_EQ(read(*one, "y"), "1");
    EXPECT_EQ(read(*two, "x"), "1");
    one->writes().put(at("x"), "0");
    two->writes().put(at("y"), "0");
    EXPECT_TRUE(one->commit().has_value());
    EXPECT_EQ(two->commit().has_value(), isolation == Isolation::snapshot);
  }
}

TEST_P(TransactionViews, WhenSerializableSeePhantoms) {
  NEEDS(transactions);
  NEEDS(ordered);
  put("a1", "v");
  put("b1", "v");
  const auto check = [&](const std::function<void()>& other, bool conflicts) {
    const auto transaction = begin(Isolation::serializable);
    scan_in(*transaction, Range::prefix(kSpace, "a"));
    transaction->writes().put(at("result"), "v");
    other();
    EXPECT_EQ(transaction->commit().has_value(), !conflicts);
  };
  check([&] { put("b2", "v"); }, false);
  check([&] { put("a2", "phantom"); }, true);
  check([&] { remove("a2"); }, true);
  check([&] { put("a1", "changed"); }, true);
  check([] {}, false);
}

TEST_P(TransactionViews, KeepTheirTimeAndTheirPromiseNotToWrite) {
  NEEDS(transactions);
  TransactionOptions options;
  options.timeout_ms = 100;
  auto transaction = ok(as<Transactions>().begin(options));
  transaction->writes().put(at("k"), "v");
  clock_.advance_ms(101);
  EXPECT_CODE(transaction->commit(), Code::timeout);
  options = {};
  options.read_only = true;
  transaction = ok(as<Transactions>().begin(options));
  transaction->writes().put(at("k"), "v");
  EXPECT_FALSE(transaction->commit().has_value());
  EXPECT_EQ(get("k"), std::nullopt);
}

TEST_P(TransactionViews, OfManyThreadsKeepASum) {
  NEEDS(transactions);
  constexpr int kAccounts = 5;
  for (int i = 0; i < kAccounts; ++i) put("account" + std::to_string(i), "100");
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto transaction = as<Transactions>().begin({});
        if (!transaction) return;
        const Bytes from = "account" + std::to_string((t + i) % kAccounts);
        const Bytes to = "account" + std::to_string((t * 2 + i + 1) % kAccounts);
        if (from == to) continue;
        const int left = std::stoi(read(**transaction, from).value());
        const int right = std::stoi(read(**transaction, to).value());
        (*transaction)->writes().put(at(from), std::to_string(left - 1));
        (*transaction)->writes().put(at(to), std::to_string(right + 1));
        const auto done = (*transaction)->commit();  // a conflict changes nothing
        if (!done) {
          EXPECT_EQ(done.error().code(), Code::conflict);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int sum = 0;
  for (int i = 0; i < kAccounts; ++i) sum += std::stoi(get("account" + std::to_string(i)).value());
  EXPECT_EQ(sum, kAccounts * 100);
}

}  // namespace
}  // namespace strata::conformance
