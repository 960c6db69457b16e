// KeyChooser: which record a benchmark touches next: each as likely as the others, or by the zipf
// law as YCSB has it (Gray et al., "Quickly generating billion-record synthetic databases", 1994),
// the popular ones spread over all records.
//
// Threads: one at a time; a copy for each thread, with a seed of its own.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/random.h"

namespace strata::bench {

class KeyChooser {
 public:
  /// `theta` 0: uniform; else below 1. Costs one pass over `records` numbers for zipf.
  KeyChooser(std::uint64_t records, double theta, std::uint64_t seed)
      : random_(seed), records_(records), theta_(theta) {
    if (theta_ == 0) return;
    for (std::uint64_t i = 1; i <= records_; ++i) zeta_ += 1 / std::pow(double(i), theta_);
    const double zeta_two = 1 + 1 / std::pow(2.0, theta_);
    alpha_ = 1 / (1 - theta_);
    eta_ = (1 - std::pow(2.0 / double(records_), 1 - theta_)) / (1 - zeta_two / zeta_);
    half_ = 1 + std::pow(0.5, theta_);
  }

  std::uint64_t next() {
    if (theta_ == 0) return random_.uniform(records_);
    const double u = random_.real();
    const double scaled = u * zeta_;
    std::uint64_t rank = 0;
    if (scaled >= half_) {
      rank = static_cast<std::uint64_t>(double(records_) * std::pow(eta_ * u - eta_ + 1, alpha_));
    } else if (scaled >= 1) {
      rank = 1;
    }
    return base::mix64(rank) % records_;
  }
  base::Random& random() { return random_; }
  void reseed(std::uint64_t seed) { random_ = base::Random(seed); }

 private:
  base::Random random_;
  std::uint64_t records_;
  double theta_;
  double zeta_ = 0;
  double alpha_ = 0;
  double eta_ = 0;
  double half_ = 0;
};

}  // namespace strata::bench
