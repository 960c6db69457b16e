// The table: one row an engine. A test is skipped exactly where a row has not the capability that
// the test is about, and table_test.cc holds each row against what the engine reports.
#include <algorithm>

#include "backends/file/backend.h"
#include "backends/hybridlog/backend.h"
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

/// `set` names options and their values; `small` is the least memory there may be, so that nearly
/// everything lies on disk.
Opener hybridlog_with(std::vector<std::pair<std::string, std::string>> set, bool small,
                      bool in_memory) {
  auto registry = std::make_shared<Registry>();
  backends::hybridlog::add_to(*registry);
  return [registry, set = std::move(set), small,
          in_memory](Environment environment) -> Result<std::unique_ptr<Engine>> {
    const BackendSpec& spec = registry->backends().front();
    OptionValues options(spec.options);
    for (const auto& [name, value] : set) STRATA_TRY(options.set(name, value));
    environment.memory_bytes = small ? 1 : 256 * 1024 * 1024;
    environment.durability = Durability::none;
    if (in_memory) {
      environment.folder.clear();
      environment.memory_bytes = 2048ull * 1024 * 1024;
    }
    return spec.open(options, environment);
  };
}

Limits hybridlog_limits(Durability strongest) {
  Limits limits;
  limits.durability_max = strongest;
  return limits;
}

Subject hybridlog() {
  return {.name = "hybridlog",
          .backend = "hybridlog",
          .capabilities = {ordered, atomic_batch, snapshots, persistence, async_reads},
          .limits = hybridlog_limits(Durability::interval),
          .keeps = true,
          .open = hybridlog_with({}, false, false)};
}

Subject hybridlog_small() {
  Subject subject = hybridlog();
  subject.name = "hybridlog_small";
  subject.open = hybridlog_with({{"io_uring", "false"}}, true, false);
  return subject;
}

Subject hybridlog_unordered() {
  Subject subject = hybridlog();
  subject.name = "hybridlog_unordered";
  subject.capabilities = {atomic_batch, snapshots, persistence, async_reads};
  subject.open = hybridlog_with({{"ordered", "false"}}, true, false);
  return subject;
}

Subject hybridlog_in_memory() {
  return {.name = "hybridlog_in_memory",
          .backend = "hybridlog",
          .capabilities = {ordered, atomic_batch, snapshots, async_reads},
          .limits = hybridlog_limits(Durability::none),
          .keeps = false,
          .open = hybridlog_with({}, false, true)};
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
  std::vector<Subject> table = {memory(),
                                file(),
                                rocksdb(),
                                lmdb(),
                                hybridlog(),
                                hybridlog_small(),
                                hybridlog_unordered(),
                                hybridlog_in_memory()};
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
