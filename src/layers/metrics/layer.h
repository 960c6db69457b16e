// The layer `metrics`: counts and times every operation of the engine below (metrics.h).
#pragma once

#include "strata/backend.h"

namespace strata::base {
class MetricRegistry;
}

namespace strata::layers::metrics {

void add_to(Registry& registry);

/// Over `below`, counting in `registry`, which must outlive it.
Result<std::unique_ptr<Engine>> wrap(std::unique_ptr<Engine> below, base::MetricRegistry& registry,
                                     const base::Clock& clock);

}  // namespace strata::layers::metrics
