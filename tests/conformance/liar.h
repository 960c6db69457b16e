// Planted faults: an engine that lies in exactly one way, so that the suite can be seen to notice.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "strata/engine.h"

namespace strata::conformance {

/// A way to lie, and the capability without which it cannot show.
struct Fault {
  std::string_view name;
  std::string_view what;
};

/// All of them. `none` is the wrapper without a lie: it must pass.
const std::vector<Fault>& faults();

/// From now on every engine of this program lies so; false if there is no such fault.
bool plant_fault(std::string_view name);

/// The engine itself, or a liar over it if a fault is planted.
std::unique_ptr<Engine> with_planted_fault(std::unique_ptr<Engine> engine);

/// A liar of the given name, which must be one of faults().
std::unique_ptr<Engine> make_liar(std::unique_ptr<Engine> engine, std::string_view fault);

}  // namespace strata::conformance
