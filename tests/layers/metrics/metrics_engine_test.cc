// The metrics layer over the memory engine: what it counts, and that it forwards what is below.
#include "layers/metrics/metrics_engine.h"

#include <gtest/gtest.h>

#include <thread>

#include "backends/memory/backend.h"
#include "base/clock.h"
#include "base/counters.h"
#include "io/sim_file_system.h"
#include "layers/metrics/layer.h"

namespace strata::layers::metrics {
namespace {

constexpr Keyspace kSpace{16};

class MetricsLayer : public testing::Test {
 protected:
  void SetUp() override {
    const Environment environment{.files = files_, .clock = clock_, .folder = {}};
    auto below = backends::memory::open(
        OptionValues(Registry::builtin().backend("memory")->options), environment);
    ASSERT_TRUE(below);
    below_ = below->get();
    auto wrapped = wrap(*std::move(below), registry_, clock_);
    ASSERT_TRUE(wrapped);
    engine_ = *std::move(wrapped);
  }
  MetricsReport report() const { return dynamic_cast<MetricsReader&>(*engine_).report(); }
  std::uint64_t calls(Operation operation) const { return report().of(operation).calls; }
  static KeyRef at(BytesView key) { return {kSpace, key}; }

  base::SimClock clock_;
  io::SimFileSystem files_{1, clock_};
  base::MetricRegistry registry_;
  Engine* below_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

TEST_F(MetricsLayer, CountsCallsBytesAndHitsExactly) {
  Value value;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(engine_->put(at("key"), "12345"));
  for (int i = 0; i < 70; ++i) ASSERT_TRUE(engine_->get(at("key"), value));
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(engine_->get(at("absent"), value));
  std::vector<Read> reads(3);
  for (Read& read : reads) read.key = at("key");
  ASSERT_TRUE(engine_->mget(reads));
  ASSERT_TRUE(engine_->count(kSpace));
  ScanPage page;
  Bytes cursor;
  ASSERT_TRUE(engine_->scan_some(kSpace, cursor, {}, page));
  ASSERT_TRUE(engine_->as<Ordered>()->scan(Range::all(kSpace), {}, page));

  const MetricsReport report = this->report();
  EXPECT_EQ(report.of(Operation::commit).calls, 100u);
  EXPECT_EQ(report.of(Operation::get).calls, 100u);
  EXPECT_EQ(report.of(Operation::mget).calls, 1u);
  EXPECT_EQ(report.of(Operation::count).calls, 1u);
  EXPECT_EQ(report.of(Operation::scan).calls, 1u);
  EXPECT_EQ(report.of(Operation::scan_some).calls, 1u);
  EXPECT_EQ(report.bytes_in, 100u * 8);
  EXPECT_EQ(report.bytes_out, 70u * 5 + 3 * 5 + 3 + 8);
  EXPECT_EQ(report.keys_found, 73u);
  EXPECT_EQ(report.keys_absent, 30u);
}

TEST_F(MetricsLayer, CountsAnUpdateOnceHoweverOftenItsFunctionRuns) {
  ASSERT_TRUE(engine_->put(at("n"), "7"));
  const auto done =
      engine_->update(at("n"), [](const Current& current, Update& wanted) -> Result<> {
        wanted.action = Update::Action::put;
        wanted.value = Bytes(current.value) + "77";
        return {};
      });
  ASSERT_TRUE(done);
  EXPECT_EQ(calls(Operation::update), 1u);
  EXPECT_EQ(calls(Operation::commit), 1u);
  EXPECT_EQ(calls(Operation::get), 0u);
  EXPECT_EQ(report().bytes_in, 2u + 4);
  EXPECT_EQ(report().bytes_out, 1u);
}

TEST_F(MetricsLayer, CountsErrorsByTheirCode) {
  EXPECT_FALSE(engine_->put(at(Bytes(kKeyBytesMax + 1, 'k')), "v"));
  Bytes cursor = "nonsense";
  ScanPage page;
  EXPECT_FALSE(engine_->scan_some(kSpace, cursor, {}, page));
  ASSERT_TRUE(engine_->close());
  Value value;
  EXPECT_FALSE(engine_->get(at("k"), value));
  const MetricsReport report = this->report();
  EXPECT_EQ(report.errors[static_cast<std::size_t>(Code::invalid_argument)], 2u);
  EXPECT_EQ(report.errors[static_cast<std::size_t>(Code::closed)], 1u);
  EXPECT_EQ(report.bytes_in, 0u);
}

TEST_F(MetricsLayer, CountsRefusedCommitsApart) {
  WriteBatch batch;
  batch.require_present(at("absent"));
  batch.put(at("k"), "v");
  const Result<Commit> refused = engine_->commit(batch);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->applied());
  EXPECT_EQ(report().refused, 1u);
  EXPECT_EQ(report().bytes_in, 0u);
}

TEST_F(MetricsLayer, TimesAboutOneCallInSixtyFour) {
  Value value;
  constexpr std::uint64_t kCalls = 64'000;
  for (std::uint64_t i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(engine_->get(at("k"), value));
    ASSERT_TRUE(engine_->count(kSpace));  // a rhythm of two hides neither
  }
  const MetricsReport report = this->report();
  EXPECT_EQ(report.of(Operation::get).calls, kCalls);
  for (const Operation operation : {Operation::get, Operation::count}) {
    EXPECT_GT(report.of(operation).latency_ns.count(), 800u);
    EXPECT_LT(report.of(operation).latency_ns.count(), 1200u);
  }
}

TEST_F(MetricsLayer, SumsWhatSeveralThreadsDid) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      Value value;
      for (int i = 0; i < 500; ++i) EXPECT_TRUE(engine_->get(at("k"), value));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(calls(Operation::get), 2000u);
}

TEST_F(MetricsLayer, HasTheCapabilitiesAndLimitsOfWhatIsBelow) {
  EXPECT_EQ(engine_->capabilities(), below_->capabilities());
  EXPECT_EQ(engine_->limits(), below_->limits());
}

TEST_F(MetricsLayer, SeesWhatTransactionsDo) {
  auto* const transactions = engine_->as<Transactions>();
  if (transactions == nullptr) GTEST_SKIP() << "the engine below has none";
  auto transaction = transactions->begin();
  ASSERT_TRUE(transaction);
  std::vector<Read> reads(2);
  for (Read& read : reads) read.key = at("k");
  ASSERT_TRUE((*transaction)->mget(reads));
  (*transaction)->writes().put(at("k"), "1234");
  ASSERT_TRUE((*transaction)->commit());
  EXPECT_EQ(calls(Operation::mget), 1u);
  EXPECT_EQ(calls(Operation::commit), 1u);
  EXPECT_EQ(report().bytes_in, 5u);
}

/// Answers every read later, from another thread.
class LateEngine final : public Engine, public AsyncReads {
 public:
  ~LateEngine() override {
    if (thread_.joinable()) thread_.join();
  }
  Result<> mget(std::span<Read> reads, const ReadOptions&) override {
    for (Read& read : reads) {
      read.info.emplace();
      read.value.assign("late");
    }
    return {};
  }
  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([this, reads, options, &then] { then.complete(mget(reads, options)); });
    return std::nullopt;
  }
  Result<Commit> commit(const WriteBatch&, const WriteOptions&) override { return Commit{}; }
  Result<> scan_some(Keyspace, Bytes&, const CursorOptions&, ScanPage&) override { return {}; }
  Result<std::uint64_t> count(Keyspace) override { return std::uint64_t{0}; }
  Stats stats() override { return {}; }
  Limits limits() const override { return {}; }
  Result<> close() override { return {}; }

 protected:
  Capability* find(CapabilityId id) noexcept override {
    return id == CapabilityId::async_reads ? static_cast<AsyncReads*>(this) : nullptr;
  }

 private:
  std::thread thread_;
};

TEST_F(MetricsLayer, CountsAsynchronousReadsWhenTheyEnd) {
  auto wrapped = wrap(std::make_unique<LateEngine>(), registry_, clock_);
  ASSERT_TRUE(wrapped);
  engine_ = *std::move(wrapped);
  EXPECT_EQ(engine_->as<Ordered>(), nullptr);
  struct Completion final : ReadCompletion {
    std::atomic<int> told{0};
    void complete(Result<> result) noexcept override {
      EXPECT_TRUE(result);
      told.fetch_add(1);
      told.notify_all();
    }
  } completion;
  std::vector<Read> reads(2);
  for (int round = 1; round <= 20; ++round) {
    EXPECT_FALSE(engine_->as<AsyncReads>()->start_mget(reads, {}, completion));
    completion.told.wait(round - 1);
    EXPECT_EQ(completion.told.load(), round);
    EXPECT_EQ(calls(Operation::mget), static_cast<std::uint64_t>(round));
  }
  EXPECT_EQ(report().bytes_out, 20u * 8);
}

TEST_F(MetricsLayer, ShowsItsFiguresInStats) {
  ASSERT_TRUE(engine_->put(at("k"), "v"));
  double commits = -1;
  for (const Stats::Figure& figure : engine_->stats().more) {
    if (figure.name == "commit_calls") commits = figure.value;
  }
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(engine_->stats().keys, 1u);
}

TEST(MetricsLayerRow, IsInTheRegistry) {
  Registry registry;
  add_to(registry);
  ASSERT_NE(registry.layer("metrics"), nullptr);
}

}  // namespace
}  // namespace strata::layers::metrics
