// The row of the registry. The layer has no options: what it costs is next to nothing.
#include "layers/metrics/layer.h"

#include "base/check.h"
#include "base/counters.h"
#include "layers/metrics/metrics_engine.h"

namespace strata::layers::metrics {

void add_to(Registry& registry) {
  const Result<> added = registry.add(
      LayerSpec{.name = "metrics",
                .help = "Counts and latencies of every operation; what INFO and /metrics show.",
                .options = {},
                .wrap = [](std::unique_ptr<Engine> below, const OptionValues&,
                           const Environment& environment) {
                  return wrap(std::move(below), base::global_metrics(), environment.clock);
                }});
  STRATA_CHECK(added.has_value());
}

Result<std::unique_ptr<Engine>> wrap(std::unique_ptr<Engine> below, base::MetricRegistry& registry,
                                     const base::Clock& clock) {
  STRATA_LET(std::unique_ptr<Meters> meters, Meters::make(registry, clock));
  return std::make_unique<MetricsEngine>(std::move(below), std::move(meters));
}

}  // namespace strata::layers::metrics
