// Subject: an engine under test and what it says of itself. The table of all of them stands in
// subjects.cc, and is the only place that can excuse an engine from a test.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "strata/backend.h"
#include "strata/engine.h"

namespace strata::conformance {

using Opener = std::function<Result<std::unique_ptr<Engine>>(const Environment&)>;

struct Subject {
  std::string name;     ///< "memory", "metrics_over_memory"
  std::string backend;  ///< the program it is tested in: conformance_<backend>
  std::vector<CapabilityId> capabilities;
  Limits limits;
  bool keeps;  ///< what was written is there when the folder is opened again
  Opener open;

  bool has(CapabilityId id) const;
};

/// Every engine that there is.
const std::vector<Subject>& subjects();
/// Those of the program that asks: of its backend, by themselves and under layers.
std::vector<Subject> subjects_here();

/// Defined by each program.
extern const char* const kBackendHere;

inline std::ostream& operator<<(std::ostream& out, const Subject& subject) {
  return out << subject.name;
}

}  // namespace strata::conformance
