// The table: one row an engine. A test is skipped exactly where a row has not the capability that
// the test is about, and table_test.cc holds each row against what the engine reports.
#include <algorithm>

#include "backends/memory/memory_engine.h"
#include "conformance/subject.h"

namespace strata::conformance {

namespace {

using enum CapabilityId;

Subject memory() {
  Limits limits;
  limits.durability_max = Durability::none;
  return {.name = "memory",
          .backend = "memory",
          .capabilities = {ordered, atomic_batch, snapshots, async_reads},
          .limits = limits,
          .keeps = false,
          .open = [](const Environment& environment) {
            return backends::memory::open_with({}, environment);
          }};
}

}  // namespace

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> table = {memory()};
  return table;
}

bool Subject::has(CapabilityId id) const { return std::ranges::count(capabilities, id) != 0; }

std::vector<Subject> subjects_here() {
  std::vector<Subject> here;
  std::ranges::copy_if(subjects(), std::back_inserter(here),
                       [](const Subject& subject) { return subject.backend == kBackendHere; });
  return here;
}

}  // namespace strata::conformance
