// Instance: what all sessions of one server share. Each part is a room of its own; the instance
// only holds them together and decides in which order they begin and end.
//
// Threads: every part says for itself; all may be used from any I/O thread.
#pragma once

#include <atomic>
#include <memory>

#include "base/clock.h"
#include "server/clients.h"
#include "server/command_table.h"
#include "server/databases.h"
#include "server/gate.h"
#include "server/latency.h"
#include "server/monitors.h"
#include "server/random_key.h"
#include "server/scan_cursors.h"
#include "server/settings.h"
#include "server/slow_log.h"
#include "server/statistics.h"
#include "strata/engine.h"

namespace strata::server {

class Instance {
 public:
  /// Borrows engine and clock.
  static Result<std::unique_ptr<Instance>> open(Engine& engine, base::Clock& clock,
                                                std::unique_ptr<Settings> settings, unsigned loops);

  Engine& engine;
  base::Clock& clock;
  const std::unique_ptr<Settings> settings;
  const std::unique_ptr<Databases> databases;
  const bool atomic_batches;  ///< whether the stack can write several keys as one
  CommandTable commands;
  Gate gate;
  Clients clients;
  Monitors monitors;
  Statistics statistics;
  SlowLog slow_log;
  Latency latency;
  ScanCursors scan_cursors;
  RandomKey random_key;
  /// What INFO says of the store: "rocksdb", and its folder.
  std::string backend_name;
  std::string data_folder;
  std::string config_path;          ///< empty: there is none
  std::string run_id;               ///< 40 hexadecimal digits, others at each start
  std::uint64_t startup_bytes = 0;  ///< resident memory when the server began to serve
  const unsigned loops;             ///< I/O threads
  std::int64_t started_ms = 0;
  /// Asks the server to stop (SHUTDOWN, signals); set once.
  std::atomic<bool> stop_requested{false};

 private:
  Instance(Engine& engine, base::Clock& clock, std::unique_ptr<Settings> settings,
           std::unique_ptr<Databases> databases, unsigned loops);
};

}  // namespace strata::server
