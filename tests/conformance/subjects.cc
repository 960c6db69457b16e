// The table: one row an engine. A test is skipped exactly where a row has not the capability that
// the test is about, and table_test.cc holds each row against what the engine reports.
#include <algorithm>

#include "backends/file/backend.h"
#include "backends/lmdb/backend.h"
#include "backends/memory/backend.h"
#include "backends/rocksdb/backend.h"
#include "base/check.h"
#include "base/counters.h"
#include "conformance/subject.h"
#include "layers/metrics/layer.h"

namespace strata::conformance {

namespace {

using enum CapabilityId;

// Opens a backend as a configuration would, with its options as they come.
Opener by_default(void (*add_to)(Registry&)) {
  auto registry = std::make_shared<Registry>();
  add_to(*registry);
  STRATA_CHECK(registry->backends().size() == 1);
  return [registry](const Environment& environment) {
    const BackendSpec& spec = registry->backends().front();
    return spec.open(OptionValues(spec.options), environment);
  };
}

Subject memory() {
  Limits limits;
  limits.durability_max = Durability::none;
  return {.name = "memory",
          .backend = "memory",
          .capabilities = {ordered, atomic_batch, snapshots, transactions, persistence, async_reads,
                           prepare, change_feed, watch},
          .limits = limits,
          .keeps = true,
          .open = by_default(&backends::memory::add_to)};
}

Subject rocksdb() {
  return {.name = "rocksdb",
          .backend = "rocksdb",
          .capabilities = {ordered, atomic_batch, snapshots, persistence, async_reads},
          .limits = {},
          .keeps = true,
          .open = by_default(&backends::rocksdb::add_to)};
}

Subject lmdb() {
  return {.name = "lmdb",
          .backend = "lmdb",
          .capabilities = {ordered, atomic_batch, snapshots, persistence},
          .limits = {},
          .keeps = true,
          .open = by_default(&backends::lmdb::add_to)};
}

Subject file() {
  Limits limits;
  limits.batch_effects_max = 1;
  return {.name = "file",
          .backend = "file",
          .capabilities = {async_reads},
          .limits = limits,
          .keeps = true,
          .open = by_default(&backends::file::add_to)};
}

/// The layer promises what is below it, and nothing less.
Subject metrics_over(Subject below) {
  below.name = "metrics_over_" + below.name;
  below.open = [open = std::move(below.open)](
                   const Environment& environment) -> Result<std::unique_ptr<Engine>> {
    STRATA_LET(std::unique_ptr<Engine> engine, open(environment));
    static base::MetricRegistry registry;
    return layers::metrics::wrap(std::move(engine), registry, environment.clock);
  };
  return below;
}

std::vector<Subject> make_table() {
  std::vector<Subject> table = {memory(), file(), rocksdb(), lmdb()};
  const std::size_t backends = table.size();
  for (std::size_t i = 0; i < backends; ++i) table.push_back(metrics_over(table[i]));
  return table;
}

}  // namespace

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> table = make_table();
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
