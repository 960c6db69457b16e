// Connection: one client, from its first byte to its last: reads, parses, runs one operation after
// the other, sends the replies.
//
//   transport -> parser -> operation (may wait) -> output -> transport
//
// Always:  the replies leave in the order of the requests; while an operation waits, nothing
// further
//          of this client is parsed or read, and the thread is free for others; a client that does
//          not take its replies is not read from; the object lives while a read of the engine
//          is under way, even when the client is gone.
// Owns:    transport, session, buffers. Borrows: host and instance.
// Threads: its loop's; the session's deliver and poke, and an operation's wake, any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "server/event_loop.h"
#include "server/operation.h"
#include "server/request_memory.h"
#include "server/resp_parser.h"
#include "server/transport.h"

namespace strata::server {

class Connection;

/// What a connection needs of the thread it lives on.
class ConnectionHost {
 public:
  using Task = std::function<void(Connection&)>;

  virtual BufferPool& buffers() = 0;
  /// Wall time, about.
  virtual std::int64_t now_ms() const = 0;
  /// For what the connection's socket is waited from now on.
  virtual void watch(Connection& connection, EventLoop::Interest interest) = 0;
  /// Calls connection.time_has_come() once, `ms` milliseconds from now; replaces the call before.
  virtual void call_after_ms(Connection& connection, std::int64_t ms) = 0;
  /// Runs `task` on the connection's thread if it is still there. Any thread.
  virtual void post(std::uint64_t id, Task task) = 0;
  /// Its socket is closed from now on: nothing may be watched any more.
  virtual void closing(Connection& connection) = 0;
  /// Nothing needs it any more. It is destroyed soon, not within this call.
  virtual void ended(Connection& connection) = 0;

 protected:
  ~ConnectionHost() = default;
};

class Connection {
 public:
  /// Replies wait up to this much before further requests of the client do.
  static constexpr std::size_t kOutputSoftBytes = 256 * 1024;

  Connection(ConnectionHost& host, Instance& instance, RequestMemory& memory,
             std::unique_ptr<Transport> transport, std::uint64_t id);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The session is known and the socket can be used. To be called once, first.
  void open();
  /// The socket can be read or written; `failed`: it is broken.
  void ready(bool readable, bool failed);
  void time_has_come();
  /// About once a second: idle clients, limits that have a time, memory that nobody needs.
  void tick();
  /// Sends what the client takes at once, and closes: the server stops.
  void finish();
  /// At once, without sending what waits.
  void close();

  Session& session() noexcept { return session_; }
  bool closed() const noexcept { return transport_ == nullptr; }

 private:
  void read();
  void refuse(std::string_view error);
  void advance();
  void run_requests();
  void run_request();
  void park();
  void resume();
  bool flush();
  void finish_output();
  void drain_input();
  void deliver(const Bytes& bytes);
  void look_at_kill();
  bool output_too_large();
  bool wants_read() const noexcept;
  void update_watch(bool strict = false);

  ConnectionHost& host_;
  Instance& instance_;
  std::unique_ptr<Transport> transport_;  // null: closed
  Session session_;
  RequestMemory::Share memory_;
  RespParser parser_;
  OutputBuffer output_;
  std::unique_ptr<Operation> operation_;  // made at need, so that an idle client costs little

  bool waiting_ = false;        // an operation waits
  bool refused_ = false;        // nothing more is parsed
  bool more_requests_ = false;  // the parser may have one that has not been run
  bool ending_output_ = false;  // all is sent; the client's last bytes are thrown away
  EventLoop::Interest watched_;
  bool read_waits_writable_ = false;
  bool write_waits_readable_ = false;
  std::int64_t active_ms_ = 0;  // last bytes either way
  std::int64_t ending_since_ms_ = 0;
  std::int64_t over_soft_since_ms_ = 0;
};

}  // namespace strata::server
