// Every planted fault is caught: the suite runs against the lying engine, and has to fail.
#include "conformance/liar.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

namespace strata::conformance {
namespace {

/// The exit code of the memory engine's suite with a fault planted.
int run_suite(std::string_view fault) {
  // A lie may also make an honest loop run forever; then it was noticed, too. Without a lie the
  // suite ends, however slow the machine is.
  std::string command = fault == "none" ? "" : "timeout 60 ";
  command += STRATA_CONFORMANCE_PROGRAM;
  command += " --planted-fault=";
  command += fault;
  // One failed test proves enough. The longest values take long, and lies show on shorter ones.
  command += " --gtest_fail_fast --gtest_filter=-*LongestValue*:*ValuesUpToTheLongest*";
  command += " >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class PlantedFault : public testing::TestWithParam<Fault> {};

TEST_P(PlantedFault, IsCaught) {
  const int code = run_suite(GetParam().name);
  EXPECT_EQ(code != 0, GetParam().name != "none") << GetParam().what << "; exit code " << code;
  EXPECT_NE(code, 2) << "it did not run";
}

INSTANTIATE_TEST_SUITE_P(Suite, PlantedFault, testing::ValuesIn(faults()),
                         [](const auto& fault) { return std::string(fault.param.name); });

TEST(ConformanceProgram, RefusesAFaultThatItDoesNotKnow) { EXPECT_EQ(run_suite("typo"), 2); }

}  // namespace
}  // namespace strata::conformance
