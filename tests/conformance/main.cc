// conformance_<backend> [--planted-fault=NAME] [gtest's flags]: the contract against the subjects
// of one backend. With a planted fault the engine lies in one way, and a run must fail.
#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <string_view>

#include "conformance/fixture.h"
#include "conformance/liar.h"

namespace strata::conformance {

const char* const kBackendHere = STRATA_CONFORMANCE_BACKEND;

namespace {

std::atomic<int> excused{0};  // relaxed: only counted, read after all tests

/// Counts skips, so that one outside the table can fail the program.
class SkipCounter : public testing::EmptyTestEventListener {
 public:
  void OnTestEnd(const testing::TestInfo& test) override {
    if (test.result()->Skipped()) ++skipped_;
  }
  int skipped() const { return skipped_; }

 private:
  int skipped_ = 0;
};

}  // namespace

void note_excused_skip() { excused.fetch_add(1, std::memory_order_relaxed); }

int run(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr std::string_view kFlag = "--planted-fault=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with(kFlag) || !plant_fault(argument.substr(kFlag.size()))) {
      std::cerr << "unknown argument: " << argument << '\n';
      return 2;
    }
  }
  auto* skips = new SkipCounter;  // gtest owns it
  testing::UnitTest::GetInstance()->listeners().Append(skips);
  const int result = RUN_ALL_TESTS();
  const int counted = skips->skipped();
  if (counted == excused.load(std::memory_order_relaxed)) return result;
  std::cerr << "tests were skipped that the table does not excuse\n";
  return 1;
}

}  // namespace strata::conformance

int main(int argc, char** argv) { return strata::conformance::run(argc, argv); }
