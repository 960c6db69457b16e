// Server: an instance, its I/O threads, its listener and its upkeep, over an engine that is open.
//
// Always:  what start() began, stop() ends: afterwards no thread runs and no read is under way, and
//          every command that was acknowledged is in the engine.
// Owns:    the instance and all threads. Borrows: engine and clock.
// Threads: start(), stop() and the destructor one at a time.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"
#include "server/instance.h"
#include "server/listener.h"
#include "server/request_memory.h"
#include "server/worker.h"

namespace strata::server {

struct ServerOptions {
  unsigned threads = 1;                          ///< I/O threads
  std::span<const CommandSpec> more_commands{};  ///< rows beside the built-in ones
  // What INFO says.
  std::string backend_name;
  std::string data_folder;
  std::string config_path;
};

class Server {
 public:
  /// Serves when it returns.
  static Result<std::unique_ptr<Server>> start(Engine& engine, base::Clock& clock,
                                               std::unique_ptr<Settings> settings,
                                               std::unique_ptr<Listener> listener,
                                               const ServerOptions& options);
  ~Server();

  Instance& instance() noexcept { return *instance_; }
  std::uint16_t port() const noexcept { return listener_->port(); }
  const RequestMemory& request_memory() const noexcept { return request_memory_; }
  /// Accepts no more, ends all connections and threads. Idempotent.
  void stop();

 private:
  Server(std::unique_ptr<Instance> instance, std::unique_ptr<Listener> listener);
  Result<> begin(unsigned threads);
  void keep_up();

  const std::unique_ptr<Instance> instance_;
  RequestMemory request_memory_;
  std::atomic<std::uint64_t> connections_{0};
  const std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t next_worker_ = 0;  // on the listener's loop
  bool running_ = false;

  base::Mutex mutex_;
  base::CondVar wake_;
  bool stopping_ STRATA_GUARDED_BY(mutex_) = false;
  base::Thread upkeep_;
};

}  // namespace strata::server
