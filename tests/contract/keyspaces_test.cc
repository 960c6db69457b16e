#include "contract/keyspaces.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "backends/memory/backend.h"
#include "base/clock.h"
#include "io/posix_file_system.h"

namespace strata {
namespace {

constexpr KeyRef kRecord{kSystemKeyspace, "keyspaces"};

/// Takes one effect a batch and hides every capability, as an engine of plain files does.
class PlainEngine final : public Engine {
 public:
  explicit PlainEngine(Engine& below) : below_(below) {}
  Result<> mget(std::span<Read> reads, const ReadOptions& options) override {
    return below_.mget(reads, options);
  }
  Result<Commit> commit(const WriteBatch& batch, const WriteOptions& options) override {
    if (batch.effects().size() > 1) return Error(Code::not_supported, "one effect a batch");
    return below_.commit(batch, options);
  }
  Result<> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                     ScanPage& page) override {
    return below_.scan_some(space, cursor, options, page);
  }
  Result<std::uint64_t> count(Keyspace space) override { return below_.count(space); }
  Stats stats() override { return below_.stats(); }
  Limits limits() const override { return below_.limits(); }
  Result<> close() override { return below_.close(); }

 private:
  Engine& below_;
};

class KeyspacesTest : public testing::Test {
 protected:
  base::SimClock clock_;
  std::unique_ptr<Engine> owned_ =
      backends::memory::open(OptionValues(Registry::builtin().backend("memory")->options),
                             Environment{io::posix(), clock_, {}})
          .value();
  Engine& engine_ = *owned_;
  Keyspaces keyspaces_{engine_};

  Keyspace make(std::string_view name) { return keyspaces_.find_or_make(name).value(); }
};

TEST_F(KeyspacesTest, GiveANameOneNumberThatStays) {
  EXPECT_EQ(keyspaces_.find("db0").value(), std::nullopt);
  const Keyspace db0 = make("db0");
  EXPECT_EQ(db0, kFirstUserKeyspace);
  EXPECT_NE(make("db1"), db0);
  EXPECT_EQ(make("db0"), db0);
  EXPECT_EQ(Keyspaces(engine_).find("db0").value(), db0);
  EXPECT_EQ(keyspaces_.list().value().size(), 2U);
}

TEST_F(KeyspacesTest, RefuseNamesThatAreEmptyOrTooLong) {
  EXPECT_EQ(keyspaces_.find_or_make("").error().code(), Code::invalid_argument);
  EXPECT_EQ(keyspaces_.find_or_make(std::string(201, 'x')).error().code(), Code::invalid_argument);
  EXPECT_TRUE(keyspaces_.find_or_make(std::string(200, 'x')).has_value());
}

TEST_F(KeyspacesTest, SwapChangesNumbersAndNotRecords) {
  ASSERT_TRUE(engine_.put({make("db0"), "k"}, "zero"));
  const Keyspace db0 = make("db0");
  ASSERT_TRUE(keyspaces_.swap("db0", "db1"));
  EXPECT_EQ(make("db1"), db0);
  EXPECT_NE(make("db0"), db0);
  ASSERT_TRUE(keyspaces_.swap("db1", "db1"));
  EXPECT_EQ(make("db1"), db0);
}

TEST_F(KeyspacesTest, RenewEmptiesAtOnceAndNeverGivesANumberTwice) {
  const Keyspace before = make("db0");
  ASSERT_TRUE(engine_.put({before, "k"}, "v"));
  ASSERT_TRUE(keyspaces_.renew({"db0", "new", "db0"}));
  const Keyspace after = make("db0");
  EXPECT_GT(after, before);
  EXPECT_EQ(engine_.count(after).value(), 0U);
  while (keyspaces_.sweep(10).value()) {
  }
  EXPECT_EQ(engine_.count(before).value(), 0U);
  EXPECT_GT(make("another"), after);
}

void sweep_in_steps(Engine& engine) {
  Keyspaces keyspaces(engine);
  const Keyspace space = keyspaces.find_or_make("db0").value();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(engine.put({space, "key" + std::to_string(i)}, "v"));
  const Keyspace kept = keyspaces.find_or_make("kept").value();
  ASSERT_TRUE(engine.put({kept, "k"}, "v"));
  ASSERT_TRUE(keyspaces.renew({"db0"}));
  int steps = 0;
  std::uint64_t left = 100;
  while (true) {
    const bool more = keyspaces.sweep(10).value();
    const std::uint64_t now = engine.count(space).value();
    EXPECT_LE(left - now, 20U) << "a step takes about as much as it was told to";
    left = now;
    ++steps;
    if (!more) break;
    ASSERT_LT(steps, 100);
  }
  EXPECT_GE(steps, 5);
  EXPECT_EQ(left, 0U);
  EXPECT_EQ(engine.count(kept).value(), 1U);
  EXPECT_FALSE(keyspaces.sweep(10).value());
}

TEST_F(KeyspacesTest, SweepInBoundedSteps) { sweep_in_steps(engine_); }

TEST_F(KeyspacesTest, NeedNoWholeBatches) {
  PlainEngine plain(engine_);
  sweep_in_steps(plain);
  Keyspaces keyspaces(plain);
  EXPECT_TRUE(keyspaces.swap("db0", "db1"));
}

TEST_F(KeyspacesTest, GiveEveryNameItsOwnNumberWhenManyAsk) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      Keyspaces mine(engine_);
      for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(mine.find_or_make("shared" + std::to_string(i)));
        ASSERT_TRUE(mine.find_or_make("own" + std::to_string(t) + "-" + std::to_string(i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto all = keyspaces_.list().value();
  std::set<Keyspace> numbers;
  for (const auto& [name, number] : all) numbers.insert(number);
  EXPECT_EQ(all.size(), 250U);
  EXPECT_EQ(numbers.size(), 250U);
}

TEST_F(KeyspacesTest, WriteTheGoldenFile) {
  ASSERT_TRUE(make("db0") == kFirstUserKeyspace);
  ASSERT_TRUE(keyspaces_.renew({"db0"}));
  Value value;
  ASSERT_TRUE(engine_.get(kRecord, value).value().has_value());
  std::ifstream file(STRATA_TEST_DATA "/keyspaces/v1-renewed.bin", std::ios::binary);
  const std::string golden((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(value.view(), golden);
}

TEST_F(KeyspacesTest, RefuseEveryDamageToTheRecord) {
  make("db0");
  ASSERT_TRUE(keyspaces_.renew({"db0"}));
  Value value;
  ASSERT_TRUE(engine_.get(kRecord, value).value().has_value());
  const Bytes good = value.to_bytes();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_TRUE(engine_.put(kRecord, bad));
    const auto found = keyspaces_.find("db0");
    ASSERT_FALSE(found.has_value()) << "bit " << bit;
    const bool in_format = bit >= 32 && bit < 48;
    const Code code = found.error().code();
    EXPECT_TRUE(code == Code::corruption || (in_format && code == Code::not_supported)) << bit;
    EXPECT_FALSE(keyspaces_.renew({"db0"}).has_value());
  }
  for (std::size_t n = 0; n < good.size(); ++n) {
    ASSERT_TRUE(engine_.put(kRecord, good.substr(0, n)));
    EXPECT_FALSE(keyspaces_.list().has_value()) << n;
  }
}

}  // namespace
}  // namespace strata
