// The table of subjects says what the engines say of themselves.
#include <algorithm>

#include "conformance/fixture.h"

namespace strata::conformance {
namespace {

CONFORMANCE_PART(Table);

TEST_P(Table, ListsTheCapabilitiesThatTheEngineReports) {
  std::vector<CapabilityId> listed = GetParam().capabilities;
  std::ranges::sort(listed);
  EXPECT_EQ(engine().capabilities(), listed);
}

TEST_P(Table, ListsTheLimitsThatTheEngineReports) {
  const Limits reported = engine().limits();
  const Limits& listed = GetParam().limits;
  EXPECT_EQ(reported.key_bytes_min, listed.key_bytes_min);
  EXPECT_EQ(reported.key_bytes_max, listed.key_bytes_max);
  EXPECT_EQ(reported.value_bytes_max, listed.value_bytes_max);
  EXPECT_EQ(reported.batch_effects_max, listed.batch_effects_max);
  EXPECT_EQ(reported.batch_bytes_max, listed.batch_bytes_max);
  EXPECT_EQ(reported.snapshot_ms_max, listed.snapshot_ms_max);
  EXPECT_EQ(reported.durability_max, listed.durability_max);
  EXPECT_EQ(reported, listed);
}

TEST_P(Table, TransactionsComeWithSnapshotsAndAtomicBatches) {
  if (!GetParam().has(CapabilityId::transactions)) return;
  EXPECT_TRUE(GetParam().has(CapabilityId::snapshots));
  EXPECT_TRUE(GetParam().has(CapabilityId::atomic_batch));
}

}  // namespace
}  // namespace strata::conformance
