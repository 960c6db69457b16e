#include <sys/socket.h>

#include <cerrno>

#include "server/transport.h"

namespace strata::server {
namespace {

class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(Descriptor socket) : socket_(std::move(socket)) {}

  Moved read(std::span<char> into) override {
    while (true) {
      const ssize_t bytes = ::recv(socket_.number(), into.data(), into.size(), 0);
      if (bytes > 0) return {State::moved, static_cast<std::size_t>(bytes)};
      if (bytes == 0) return {State::ended};
      if (errno == EINTR) continue;
      return {errno == EAGAIN || errno == EWOULDBLOCK ? State::wait_readable : State::broken};
    }
  }

  Moved write(std::span<const iovec> from) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    while (true) {
      const ssize_t bytes = ::sendmsg(socket_.number(), &message, MSG_NOSIGNAL);
      if (bytes > 0) return {State::moved, static_cast<std::size_t>(bytes)};
      if (bytes < 0 && errno == EINTR) continue;
      const bool full = bytes == 0 || errno == EAGAIN || errno == EWOULDBLOCK;
      return {full ? State::wait_writable : State::broken};
    }
  }

  void end_output() override { ::shutdown(socket_.number(), SHUT_WR); }

 private:
  const Descriptor socket_;
};

}  // namespace

std::unique_ptr<Transport> socket_transport(Descriptor socket) {
  return std::make_unique<SocketTransport>(std::move(socket));
}

}  // namespace strata::server
