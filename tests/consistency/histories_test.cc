// Histories of concurrent calls, recorded on the engine and checked: each has to be explained by
// an order of the calls one after another.
#include "conformance/fixture.h"
#include "consistency/checker.h"
#include "consistency/recorder.h"

namespace strata::consistency {
namespace {

CONFORMANCE_PART(Histories);

TEST_P(Histories, AreLinearizable) {
  const int rounds = scaled((conformance::kSlowBuild ? 200 : 800) / cost(GetParam()));
  const Removals removals =
      GetParam().has(CapabilityId::snapshots) ? Removals::ordered : Removals::unordered;
  base::Random random(seed());
  Recorder recorder(engine(), GetParam(), kSpace, 2);
  for (int round = 0; round < rounds; ++round) {
    for (const History& history : recorder.round(random)) {
      ASSERT_TRUE(linearizable(history.calls, history.start, removals))
          << "no order explains round " << round << "; " << replay() << "\n"
          << shown(history.start) << shown(history.calls);
    }
  }
}

}  // namespace
}  // namespace strata::consistency
