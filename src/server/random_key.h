// RandomKey: some key of a keyspace, without going over all of them.
// Threads: any.
#pragma once

#include <optional>

#include "base/mutex.h"
#include "base/random.h"
#include "server/view.h"

namespace strata::server {

class RandomKey {
 public:
  RandomKey(Engine& engine, std::uint64_t seed) : ordered_(engine.as<Ordered>()), random_(seed) {}
  /// Nothing: the view's keyspace is empty.
  Fetched<std::optional<Bytes>> operator()(View& view);

 private:
  Fetched<std::optional<Bytes>> from_order(View& view);
  Fetched<std::optional<Bytes>> from_beginning(View& view);
  Bytes between(BytesView first, BytesView last);
  std::uint64_t below(std::uint64_t bound);

  Ordered* const ordered_;
  base::Mutex mutex_;
  base::Random random_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::server
