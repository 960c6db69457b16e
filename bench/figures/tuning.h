// Tuning: how each peer is set up so that the comparison is fair to it, and the sentence that says
// so beside the tables. A backend without a row runs as it comes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strata::bench {

struct Shape;

struct Tuning {
  std::vector<std::pair<std::string, std::string>> options{};
  std::size_t load_batch = 1;  ///< records a commit while it is filled in memory
  bool compact_after_load = false;
  std::string how{};
};

Tuning tuning_of(std::string_view backend, const Shape& shape);

}  // namespace strata::bench
