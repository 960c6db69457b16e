#include "figures/steps.h"

#include <algorithm>

namespace strata::bench {

Steps::Steps(std::uint64_t records, KeyChooser chooser, std::uint64_t seed) {
  chooser.reseed(seed);
  base::Random coin(base::mix64(seed));
  steps_.resize(std::clamp<std::uint64_t>(2 * records, 1 << 16, 1 << 24));
  for (Step& step : steps_) {
    step.number = static_cast<std::uint32_t>(chooser.next()) & kRecordsMax;
    step.write = coin.one_in(2) ? 1 : 0;
  }
}

StepSets::StepSets(std::uint64_t records, unsigned threads) {
  const KeyChooser uniform(records, 0, 1);
  const KeyChooser zipf(records, kZipf, 1);
  for (unsigned t = 0; t < threads; ++t) {
    uniform_.emplace_back(records, uniform, 2 * t + 1);
    zipf_.emplace_back(records, zipf, 2 * t + 2);
  }
}

}  // namespace strata::bench
