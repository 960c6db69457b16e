#include "server/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "io/system_error.h"

namespace strata::server {
namespace {

constexpr int kBacklog = 511;
constexpr int kAcceptsPerRound = 128;
constexpr std::int64_t kPauseMs = 100;

constexpr std::string_view kTooMany = "-ERR max number of clients reached\r\n";
// Redis's own sentence, with our ways out.
constexpr std::string_view kDenied =
    "-DENIED Strata is running in protected mode because protected mode is enabled and no password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. If you want to connect from external computers, either set a password, or disable "
    "protected mode by sending the command 'CONFIG SET protected-mode no' from the loopback "
    "interface, but then make sure that the server cannot be reached from the internet.\r\n";

// A socket address of a family, and its length.
struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<Address> parse_address(const std::string& text, std::uint16_t port) {
  Address address;
  auto* const four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text == "*" ? "0.0.0.0" : text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    address.bytes = sizeof(sockaddr_in);
    return address;
  }
  address = Address();
  if (::inet_pton(AF_INET6, text == "::*" ? "::" : text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.bytes = sizeof(sockaddr_in6);
    return address;
  }
  return std::nullopt;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string text_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
                sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(port_of(address));
  }
  ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof(text));
  return std::string(text) + ":" + std::to_string(port_of(address));
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(four.sin_addr.s_addr) >> 24) == 127;
  }
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof(value));
}

void set_keepalive(int socket, std::int64_t seconds) {
  if (seconds <= 0) return;
  const int idle = static_cast<int>(std::min<std::int64_t>(seconds, 32767));
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, idle);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, std::max(idle / 3, 1));
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void tell(const Descriptor& client, std::string_view text) {
  (void)::send(client.number(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

struct Listener::Socket final : EventLoop::Watcher {
  Socket(Listener& listener, Descriptor descriptor, bool is_unix)
      : listener(listener), descriptor(std::move(descriptor)), is_unix(is_unix) {}
  void ready(bool, bool, bool) override { listener.accept_some(*this); }

  Listener& listener;
  const Descriptor descriptor;
  const bool is_unix;
};

Result<std::unique_ptr<Listener>> Listener::open(const ListenOptions& options) {
  std::unique_ptr<Listener> listener(new Listener());
  if (options.tcp) {
    listener->port_ = options.port;
    for (const std::string& address : options.addresses) {
      STRATA_TRY(listener->open_tcp(address, listener->port_));
    }
  }
  if (!options.unix_socket.empty()) {
    STRATA_TRY(listener->open_unix(options.unix_socket, options.unix_socket_mode));
  }
  return listener;
}

Listener::Listener() = default;

Listener::~Listener() {
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

Result<> Listener::open_tcp(const std::string& text, std::uint16_t port) {
  std::optional<Address> address = parse_address(text, port);
  if (!address) {
    return Error(Code::invalid_argument,
                 "cannot listen on '" + text + "': it is not a numeric IPv4 or IPv6 address");
  }
  const std::string place = text + " port " + std::to_string(port);
  Descriptor socket(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             IPPROTO_TCP));
  if (!socket) return io::system_error("socket", place, errno);
  set_option(socket.number(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address->storage.ss_family == AF_INET6) {
    set_option(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  }
  if (::bind(socket.number(), address->get(), address->bytes) != 0 ||
      ::listen(socket.number(), kBacklog) != 0) {
    if (errno == EADDRINUSE) return Error(Code::busy, place + " is taken");
    return io::system_error("listen", place, errno);
  }
  Address bound;
  bound.bytes = sizeof(bound.storage);
  ::getsockname(socket.number(), bound.get(), &bound.bytes);
  port_ = port_of(bound.storage);
  sockets_.push_back(std::make_unique<Socket>(*this, std::move(socket), false));
  return {};
}

Result<> Listener::open_unix(const std::string& path, unsigned mode) {
  Address address;
  auto* const local = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof(local->sun_path)) {
    return Error(Code::invalid_argument,
                 "cannot listen on '" + path + "': a socket's path has at most " +
                     std::to_string(sizeof(local->sun_path) - 1) + " bytes");
  }
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, path.c_str(), path.size() + 1);
  address.bytes = sizeof(sockaddr_un);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return io::system_error("socket", path, errno);
  // A socket that nobody answers on was left by a process that is gone.
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (probe && ::connect(probe.number(), address.get(), address.bytes) == 0) {
      return Error(Code::busy, "the socket '" + path + "' is taken");
    }
    ::unlink(path.c_str());
  }
  if (::bind(socket.number(), address.get(), address.bytes) != 0) {
    return io::system_error("bind", path, errno);
  }
  unix_path_ = path;
  // Nobody can connect before listen(), so the mode is in place in time.
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    return io::system_error("chmod", path, errno);
  }
  if (::listen(socket.number(), kBacklog) != 0) return io::system_error("listen", path, errno);
  sockets_.push_back(std::make_unique<Socket>(*this, std::move(socket), true));
  return {};
}

Result<> Listener::start(EventLoop& loop, Instance& instance,
                         const std::atomic<std::uint64_t>& connections, TakeFunction take) {
  loop_ = &loop;
  instance_ = &instance;
  connections_ = &connections;
  take_ = std::move(take);
  for (const auto& socket : sockets_) {
    STRATA_TRY(loop.watch(socket->descriptor.number(), *socket, {.readable = true}));
  }
  return {};
}

void Listener::stop() {
  if (loop_ == nullptr) return;
  for (const auto& socket : sockets_) loop_->forget(socket->descriptor.number());
  if (pause_ != 0) loop_->cancel(pause_);
  loop_ = nullptr;
}

void Listener::accept_some(Socket& socket) {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    Address peer;
    peer.bytes = sizeof(peer.storage);
    Descriptor client(::accept4(socket.descriptor.number(), peer.get(), &peer.bytes,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) pause();
      return;
    }
    welcome(std::move(client), socket, peer.storage);
  }
}

// No descriptor or no memory for another client: it waits in the backlog until there is.
void Listener::pause() {
  if (pause_ != 0) return;
  for (const auto& socket : sockets_) loop_->change(socket->descriptor.number(), *socket, {});
  pause_ = loop_->call_after_ms(kPauseMs, [this] {
    pause_ = 0;
    for (const auto& socket : sockets_) {
      loop_->change(socket->descriptor.number(), *socket, {.readable = true});
    }
  });
}

void Listener::welcome(Descriptor client, Socket& socket, const sockaddr_storage& peer) {
  const Settings& settings = *instance_->settings;
  const NetworkSettings& network = settings.network;
  if (connections_->load(std::memory_order_relaxed) >=
      network.clients_max.load(std::memory_order_relaxed)) {
    tell(client, kTooMany);
    instance_->statistics.connections_refused.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (!socket.is_unix && network.protected_mode.load(std::memory_order_relaxed) &&
      !settings.password_required() && !is_loopback(peer)) {
    tell(client, kDenied);
    instance_->statistics.connections_refused.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  Accepted accepted;
  accepted.unix_socket = socket.is_unix;
  if (socket.is_unix) {
    accepted.address = unix_path_ + ":0";
    accepted.local_address = unix_path_;
  } else {
    Address local;
    local.bytes = sizeof(local.storage);
    ::getsockname(client.number(), local.get(), &local.bytes);
    accepted.address = text_of(peer);
    accepted.local_address = text_of(local.storage);
    set_option(client.number(), IPPROTO_TCP, TCP_NODELAY, 1);
    set_keepalive(client.number(), network.keepalive_s.load(std::memory_order_relaxed));
  }
  accepted.socket = std::move(client);
  take_(std::move(accepted));
}

}  // namespace strata::server
