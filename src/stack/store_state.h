// What an open Store holds.
//
// Always: the lock outlives the engine's files; members go in the reverse of their order.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "io/file_system.h"
#include "strata/store.h"

namespace strata {

struct Store::State {
  std::string folder;   ///< empty: nothing persists
  std::string backend;  ///< its name
  bool read_only = false;
  std::unique_ptr<io::FileLock> lock;  ///< null: read-only, closed, or without a folder
  std::unique_ptr<Engine> engine;      ///< the top of the stack; stays after close, to answer
  /// Of "db0", once it was asked for. Relaxed: a number stands for itself.
  std::atomic<std::uint32_t> db0{0};
  bool closed = false;

  static const State& of(const Store& store) { return *store.state_; }
};

}  // namespace strata
