// Worker: one I/O thread: an event loop and the connections that live on it. It runs their commands
// itself; nothing is handed to another thread.
//
// Always:  a connection stays on the worker that took it; it is destroyed at the end of a round of
//          the loop, never while something of it is called.
// Owns:    its thread, its connections. Borrows: instance and request memory.
// Threads: take(), post() and stop() any; all else the worker's own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/thread.h"
#include "server/connection.h"
#include "server/event_loop.h"

namespace strata::server {

/// A client's socket as it was accepted.
struct Accepted {
  Descriptor socket;
  std::string address;
  std::string local_address;
  bool unix_socket = false;
};

class Worker final : private ConnectionHost {
 public:
  /// `connections` counts those of all workers, from take() on.
  static Result<std::unique_ptr<Worker>> open(Instance& instance, RequestMemory& memory,
                                              std::atomic<std::uint64_t>& connections,
                                              unsigned index);
  ~Worker();

  /// Its loop, for who else lives on it; before start() from any thread.
  EventLoop& loop() noexcept { return *loop_; }
  Result<> start();
  /// A new connection. Any thread.
  void take(Accepted accepted);
  /// Closes all connections, waits for reads that are under way, ends the thread. `first` is run
  /// before anything else, on the worker's thread.
  void stop(EventLoop::Task first = [] {});

 private:
  struct Client;

  Worker(Instance& instance, RequestMemory& memory, std::atomic<std::uint64_t>& connections,
         unsigned index, std::unique_ptr<EventLoop> loop);
  void adopt(Accepted accepted);
  void tick();
  void close_all();

  BufferPool& buffers() override { return buffers_; }
  std::int64_t now_ms() const override { return loop_->now_ms(); }
  void watch(Connection& connection, EventLoop::Interest interest) override;
  void call_after_ms(Connection& connection, std::int64_t ms) override;
  void post(std::uint64_t id, Task task) override;
  void closing(Connection& connection) override;
  void ended(Connection& connection) override;
  Client& client_of(Connection& connection);

  Instance& instance_;
  RequestMemory& memory_;
  std::atomic<std::uint64_t>& connections_;  // relaxed: a count
  const unsigned index_;
  const std::unique_ptr<EventLoop> loop_;
  BufferPool buffers_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Client>> clients_;
  bool stopping_ = false;
  base::Thread thread_;
};

}  // namespace strata::server
