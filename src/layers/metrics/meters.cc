// Names of the metrics as the registry shows them: engine_<operation>_calls and so on.
#include "layers/metrics/meters.h"

#include <fmt/format.h>

namespace strata::layers::metrics {

namespace {
constexpr std::array<std::string_view, kOperations> kOperationNames = {
    "get", "mget", "commit", "update", "scan", "scan_some", "count"};
}  // namespace

// Any value will do to begin with; each thread goes its own way through the draws.
constinit thread_local std::uint64_t Meters::draw_ = 0x9e3779b97f4a7c15;

std::string_view operation_name(Operation operation) {
  return kOperationNames[static_cast<std::size_t>(operation)];
}

Result<std::unique_ptr<Meters>> Meters::make(base::MetricRegistry& registry,
                                             const base::Clock& clock) {
  std::unique_ptr<Meters> meters(new Meters(clock));
  for (std::size_t i = 0; i < kOperations; ++i) {
    Meter& meter = meters->meters_[i];
    STRATA_LET(meter.calls, registry.counter(fmt::format("engine_{}_calls", kOperationNames[i])));
    STRATA_LET(meter.latency_ns,
               registry.recorder(fmt::format("engine_{}_latency_ns", kOperationNames[i])));
  }
  for (std::size_t code = 1; code < kCodes; ++code) {
    STRATA_LET(meters->errors_[code], registry.counter(fmt::format(
                                          "engine_errors_{}", code_name(static_cast<Code>(code)))));
  }
  STRATA_LET(meters->bytes_in_, registry.counter("engine_bytes_in"));
  STRATA_LET(meters->bytes_out_, registry.counter("engine_bytes_out"));
  STRATA_LET(meters->keys_found_, registry.counter("engine_keys_found"));
  STRATA_LET(meters->keys_absent_, registry.counter("engine_keys_absent"));
  STRATA_LET(meters->refused_, registry.counter("engine_commits_refused"));
  return meters;
}

void Meters::record(Meter& meter, std::int64_t started_ns) noexcept {
  const std::int64_t took_ns = clock_.monotonic_ns() - started_ns;
  meter.latency_ns.record(static_cast<std::uint64_t>(took_ns));
}

MetricsReport Meters::report() const {
  MetricsReport report;
  for (std::size_t i = 0; i < kOperations; ++i) {
    report.operations[i].calls = meters_[i].calls.value();
    report.operations[i].latency_ns = meters_[i].latency_ns.value();
  }
  for (std::size_t code = 1; code < kCodes; ++code) report.errors[code] = errors_[code].value();
  report.bytes_in = bytes_in_.value();
  report.bytes_out = bytes_out_.value();
  report.keys_found = keys_found_.value();
  report.keys_absent = keys_absent_.value();
  report.refused = refused_.value();
  return report;
}

}  // namespace strata::layers::metrics
