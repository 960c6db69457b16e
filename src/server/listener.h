// Listener: the sockets on which clients knock. It lives on one loop, accepts, refuses whom it
// must, and hands the others out in turn.
//
// One acceptor and not a socket per thread (SO_REUSEPORT): the system spreads by hash, which leaves
// a few connections badly spread, and two servers could share a port without either knowing.
//
// Always:  a refused client is told why; when descriptors run out, accepting pauses for a moment
//          instead of spinning.
// Threads: open() and close() while the loop does not run or on it; the rest on the loop.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/event_loop.h"
#include "server/instance.h"
#include "server/worker.h"

namespace strata::server {

struct ListenOptions {
  std::vector<std::string> addresses{"127.0.0.1"};  ///< numeric, IPv4 or IPv6; "*": all
  std::uint16_t port = 6379;                        ///< 0: the system picks one for all
  bool tcp = true;
  std::string unix_socket;  ///< path; empty: none
  unsigned unix_socket_mode = 0700;
};

class Listener {
 public:
  using TakeFunction = std::function<void(Accepted)>;
  /// Binds and listens; who knocks waits until start(). Code::busy: a place is taken; the message
  /// names it.
  static Result<std::unique_ptr<Listener>> open(const ListenOptions& options);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Begins to accept, on `loop`. Borrows all; `connections` is how many there are.
  Result<> start(EventLoop& loop, Instance& instance, const std::atomic<std::uint64_t>& connections,
                 TakeFunction take);
  /// Ends it. On the loop.
  void stop();
  /// What was bound; 0 without TCP.
  std::uint16_t port() const noexcept { return port_; }

 private:
  struct Socket;

  Listener();
  Result<> open_tcp(const std::string& address, std::uint16_t port);
  Result<> open_unix(const std::string& path, unsigned mode);
  void accept_some(Socket& socket);
  void welcome(Descriptor client, Socket& socket, const sockaddr_storage& peer);
  void pause();

  std::vector<std::unique_ptr<Socket>> sockets_;
  std::uint16_t port_ = 0;
  std::string unix_path_;
  // From start() on.
  EventLoop* loop_ = nullptr;
  Instance* instance_ = nullptr;
  const std::atomic<std::uint64_t>* connections_ = nullptr;
  TakeFunction take_;
  EventLoop::TimerId pause_ = 0;
};

}  // namespace strata::server
