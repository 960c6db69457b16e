// Random operations on every subject beside a std::map. STRATA_SEED=n replays one run;
// STRATA_STRESS=n makes n times as many.
#include <gtest/gtest.h>

#include <cstdlib>

#include "model/runner.h"

namespace strata::conformance {
const char* const kBackendHere = STRATA_CONFORMANCE_BACKEND;
}

namespace strata::model {
namespace {

using conformance::Subject;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Model : public testing::TestWithParam<Subject> {};
INSTANTIATE_TEST_SUITE_P(Random, Model, testing::ValuesIn(conformance::subjects_here()),
                         [](const auto& row) { return row.param.name; });

TEST_P(Model, AgreesWithAMapAfterEveryStep) {
  constexpr std::size_t kSteps = 150;
  const bool replay = std::getenv("STRATA_SEED") != nullptr;
  const std::uint64_t first = number_from("STRATA_SEED", 1);
  const std::uint64_t runs = replay ? 1 : 10 * number_from("STRATA_STRESS", 1);
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    const std::vector<Operation> operations = make_operations(seed, kSteps);
    const auto failure = run(GetParam(), {}, operations);
    if (!failure) continue;
    const std::vector<Operation> shortest = shrink(
        operations, [&](const auto& shorter) { return run(GetParam(), {}, shorter).has_value(); });
    FAIL() << *failure << "; STRATA_SEED=" << seed << " replays it; the shortest list that fails:\n"
           << shown(shortest) << *run(GetParam(), {}, shortest);
  }
}

TEST_P(Model, ShrinksALieToTheFewOperationsThatShowIt) {
  // A write and what makes it show: no shorter list can tell these lies.
  constexpr std::size_t kMost = 2;
  for (const std::string_view fault : {"dropped_expiry", "lost_remove", "stale_mget"}) {
    SCOPED_TRACE(fault);
    const auto fails = [&](const std::vector<Operation>& operations) {
      return run(GetParam(), fault, operations).has_value();
    };
    const std::vector<Operation> operations = make_operations(4, 60);
    ASSERT_TRUE(fails(operations));
    const std::vector<Operation> shortest = shrink(operations, fails);
    EXPECT_TRUE(fails(shortest));
    EXPECT_LE(shortest.size(), kMost) << shown(shortest);
  }
}

TEST(Operations, AreTheSameForTheSameSeed) {
  EXPECT_EQ(shown(make_operations(7, 50)), shown(make_operations(7, 50)));
  EXPECT_NE(shown(make_operations(7, 50)), shown(make_operations(8, 50)));
}

}  // namespace
}  // namespace strata::model
