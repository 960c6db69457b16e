// Each part of the consistency tests notices the lies that are its business: it runs against the
// lying engine over memory, and has to fail by itself, not to hang.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

namespace strata::consistency {
namespace {

struct Case {
  std::string part;
  std::string fault;
};

/// The exit code of one part against memory with a fault planted.
int run_part(const Case& one) {
  std::string command = "timeout 120 " STRATA_CONSISTENCY_PROGRAM;
  command += " --planted-fault=" + one.fault;
  command += " --gtest_fail_fast --gtest_filter='*" + one.part + "*/memory' >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class PlantedFault : public testing::TestWithParam<Case> {};

TEST_P(PlantedFault, IsCaught) { EXPECT_EQ(run_part(GetParam()), GetParam().fault != "none"); }

INSTANTIATE_TEST_SUITE_P(
    Consistency, PlantedFault,
    testing::Values(Case{"Histories", "none"}, Case{"Histories", "stale_mget"},
                    Case{"Histories", "torn_mget"}, Case{"Histories", "half_batch"},
                    Case{"Histories", "non_atomic_update"}, Case{"Histories", "ignored_conditions"},
                    Case{"Histories", "wrong_failed_index"}, Case{"Histories", "effects_backwards"},
                    Case{"Histories", "lost_remove"}, Case{"Histories", "wrong_commit_version"},
                    Case{"Histories", "moving_snapshot"}, Case{"SnapshotViews", "none"},
                    Case{"SnapshotViews", "half_batch"}, Case{"SnapshotViews", "moving_snapshot"},
                    Case{"SnapshotViews", "cursor_loses_keys"},
                    Case{"SnapshotViews", "scan_skips_a_key"}, Case{"SnapshotViews", "torn_mget"},
                    Case{"Stress", "none"}, Case{"Stress", "short_value"},
                    Case{"Stress", "dangling_value"}, Case{"Stress", "dropped_expiry"},
                    Case{"Stress", "late_expiry"}, Case{"Stress", "lost_remove"},
                    Case{"Stress", "lost_delete_range"}, Case{"Stress", "shifted_patch"},
                    Case{"Stress", "ignored_conditions"}, Case{"Stress", "effects_backwards"},
                    Case{"Stress", "cursor_loses_keys"}, Case{"Stress", "scan_ends_early"},
                    Case{"Stress", "order_not_reversed"}, Case{"Stress", "moving_snapshot"}),
    [](const auto& row) { return row.param.part + "_" + row.param.fault; });

}  // namespace
}  // namespace strata::consistency
