// Databases: which keyspace each of the numbered databases is.
//
// Always: what is cached here is what the store's keyspace directory says; it changes only by
//         renew() and swap(), which run alone (Gate).
// Threads: space() any; renew() and swap() while alone.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "contract/keyspaces.h"
#include "strata/engine.h"

namespace strata::server {

class Databases {
 public:
  static constexpr int kCountMax = 1024;
  /// Finds or makes the keyspaces "db0" ... of `count` databases.
  static Result<std::unique_ptr<Databases>> open(Engine& engine, int count);

  int count() const noexcept { return static_cast<int>(spaces_.size()); }
  Keyspace space(int database) const noexcept {
    return Keyspace{spaces_[static_cast<std::size_t>(database)].load(std::memory_order_relaxed)};
  }
  /// Each becomes empty at once; the old records go in the background (sweep).
  Result<> renew(std::span<const int> databases);
  Result<> swap(int one, int other);
  /// Gives back space of renewed databases; true: there is more to do.
  Result<bool> sweep(std::uint32_t records) { return keyspaces_.sweep(records); }

 private:
  Databases(Engine& engine, int count)
      : keyspaces_(engine), spaces_(static_cast<std::size_t>(count)) {}
  Result<> reload();

  Keyspaces keyspaces_;
  // Relaxed: the Gate orders changes before every run that follows.
  std::vector<std::atomic<std::uint32_t>> spaces_;
};

}  // namespace strata::server
