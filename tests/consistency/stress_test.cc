// All operations at once from several threads, each on keys of its own that it knows exactly; the
// clock moves, snapshots live, upkeep and checkpoints run beside them. Whenever all are quiet,
// everything is compared; and once more after the store was opened again.
#include <deque>

#include "conformance/fixture.h"
#include "consistency/worker.h"

namespace strata::consistency {
namespace {

class Stress : public conformance::Conformance {
 protected:
  static constexpr int kWorkers = 4;

  void SetUp() override {
    Conformance::SetUp();
    for (int i = 0; i < kWorkers; ++i) {
      workers_.emplace_back(GetParam(), kSpace, clock_, i, seed());
      workers_.back().prepare(engine());
    }
  }

  void compare_all(std::string_view when) {
    SCOPED_TRACE(when);
    std::size_t records = 0;
    for (Worker& worker : workers_) {
      worker.check(engine());
      records += worker.count();
    }
    EXPECT_EQ(count(), records);
    if (GetParam().has(CapabilityId::ordered)) {
      EXPECT_EQ(conformance::ok(as<Ordered>().count_range(Range::all(kSpace))), records);
    }
  }

  /// To the very millisecond in which the next record ends.
  void advance_to_next_expiry() {
    std::int64_t next_ms = kNeverExpires;
    for (const Worker& worker : workers_) {
      const std::int64_t one_ms = worker.next_expiry();
      if (next_ms == kNeverExpires || (one_ms != kNeverExpires && one_ms < next_ms)) {
        next_ms = one_ms;
      }
    }
    if (next_ms != kNeverExpires) clock_.advance_ms(next_ms - clock_.wall_ms());
  }

  void work(int operations) {
    Team team;
    team.run(kWorkers, [&](int thread) {
      Worker& worker = workers_[static_cast<std::size_t>(thread)];
      worker.work(engine(), operations / 2, team);
      if (thread == 0) worker.check_checkpoint(engine());
      worker.work(engine(), operations / 2, team);
    });
  }

  std::deque<Worker> workers_;
};
INSTANTIATE_TEST_SUITE_P(Contract, Stress, testing::ValuesIn(conformance::subjects_here()),
                         conformance::subject_name);

TEST_P(Stress, EveryAnswerIsTheReferences) {
  const int rounds = scaled(8 / cost(GetParam()));
  const int operations = conformance::kSlowBuild ? 200 : 400;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round) + "; " + replay());
    ASSERT_NO_FATAL_FAILURE(work(operations));
    if (HasFailure()) return;
    compare_all("all are quiet");
    advance_to_next_expiry();
    compare_all("a record has just expired");
    clock_.advance_ms(2000);
    compare_all("many records have expired");
    while (conformance::ok(engine().maintain(1000)).more) {
    }
    compare_all("their space came back");
    if (HasFailure()) return;
  }
  for (Worker& worker : workers_) worker.release_snapshots(engine());
  if (!GetParam().keeps) return;
  reopen();
  compare_all("the store was opened again");
}

}  // namespace
}  // namespace strata::consistency
