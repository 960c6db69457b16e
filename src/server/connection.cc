#include "server/connection.h"

#include <algorithm>
#include <array>

#include "server/words.h"

namespace strata::server {
namespace {

constexpr std::size_t kFlushVectors = 64;
constexpr std::size_t kFlushBytesMax = 4 * 1024 * 1024;  // then other clients have their turn
constexpr std::int64_t kEndingMs = 2000;  // how long a client may go on sending after our last
constexpr std::int64_t kIdleMemoryMs = 2000;
constexpr std::size_t kDrainBytesMax = 16 * 1024 * 1024;

// What a browser would send: a page must not be able to talk to this port.
bool is_http(std::span<const BytesView> arguments) {
  return is_word(arguments[0], "post") || is_word(arguments[0], "host:");
}

}  // namespace

Connection::Connection(ConnectionHost& host, Instance& instance, RequestMemory& memory,
                       std::unique_ptr<Transport> transport, std::uint64_t id)
    : host_(host),
      instance_(instance),
      transport_(std::move(transport)),
      session_(instance, id),
      memory_(memory,
              [this] {
                host_.post(session_.id, [](Connection& connection) {
                  connection.refuse("ERR too many unfinished requests, and this is the largest");
                  connection.advance();
                });
              }),
      parser_(host.buffers(), memory_) {
  session_.created_ms = active_ms_ = host.now_ms();
  // Who came before there was a password is not asked for it later.
  session_.authenticated.store(!instance.settings->password_required(), std::memory_order_relaxed);
  session_.deliver = [this](std::shared_ptr<const Bytes> bytes) {
    host_.post(session_.id, [bytes = std::move(bytes)](Connection& to) { to.deliver(*bytes); });
  };
  session_.poke = [this] {
    host_.post(session_.id, [](Connection& connection) { connection.look_at_kill(); });
  };
}

Connection::~Connection() = default;

void Connection::open() {
  instance_.clients.add(session_);
  instance_.statistics.connections.fetch_add(1, std::memory_order_relaxed);
  update_watch();
}

void Connection::close() {
  if (closed()) return;
  instance_.monitors.stop(session_);
  instance_.clients.remove(session_);
  host_.closing(*this);
  transport_.reset();
  output_.clear();
  if (waiting_ && operation_->reading()) return;  // resume() will end it
  if (waiting_) operation_->abandon();
  host_.ended(*this);
}

void Connection::finish() {
  if (!closed() && !ending_output_) (void)flush();
  close();
}

void Connection::ready(bool readable, bool failed) {
  if (closed()) return;
  if (ending_output_) {
    drain_input();
  } else if (failed && !wants_read()) {
    close();
  } else if (!readable && !read_waits_writable_) {
    advance();
  } else if (wants_read()) {
    read();
    advance();
  } else {
    advance();
    update_watch(true);
  }
}

void Connection::read() {
  const std::span<char> room = parser_.room();
  if (room.empty()) {
    refuse(parser_.error());
    return;
  }
  const Transport::Moved moved = transport_->read(room);
  read_waits_writable_ = moved.state == Transport::State::wait_writable;
  if (moved.state == Transport::State::moved) {
    parser_.filled(moved.bytes);
    active_ms_ = host_.now_ms();
    instance_.statistics.input_bytes.fetch_add(moved.bytes, std::memory_order_relaxed);
    more_requests_ = true;
  } else if (moved.state == Transport::State::ended || moved.state == Transport::State::broken) {
    close();
  }
}

// The client is told why, and then it must go.
void Connection::refuse(std::string_view error) {
  if (closed() || refused_) return;
  refused_ = true;
  more_requests_ = false;
  if (waiting_ && operation_->reading()) {
    close();  // its reply would have to come first
    return;
  }
  if (waiting_) operation_->abandon();
  waiting_ = false;
  std::string line(error);
  parser_.abandon();
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  output_.append("-" + line + "\r\n");
  instance_.statistics.add_command(false, error);
  session_.close_after_reply = true;
}

// Runs what can be run and sends what can be sent, until neither goes on.
void Connection::advance() {
  if (closed() || ending_output_) return;
  do {
    run_requests();
    if (closed() || !flush()) break;
  } while (more_requests_ && !waiting_);
  if (closed()) return;
  session_.query_bytes.store(parser_.waiting_bytes(), std::memory_order_relaxed);
  session_.output_bytes.store(output_.size(), std::memory_order_relaxed);
  if (output_too_large()) {
    close();
    return;
  }
  if (!waiting_) {
    parser_.settle();
    if (session_.close_after_reply && output_.empty()) {
      finish_output();
      return;
    }
  }
  update_watch();
}

void Connection::run_requests() {
  const NetworkSettings& network = instance_.settings->network;
  while (more_requests_ && !waiting_ && output_.size() < kOutputSoftBytes) {
    const RespParser::Limits limits{
        .bulk_bytes_max = network.bulk_bytes_max.load(std::memory_order_relaxed),
        .stranger = instance_.settings->password_required() &&
                    !session_.authenticated.load(std::memory_order_relaxed)};
    switch (parser_.next(limits)) {
      case RespParser::Outcome::request:
        run_request();
        break;
      case RespParser::Outcome::incomplete:
        more_requests_ = false;
        if (parser_.waiting_bytes() > network.query_bytes_max.load(std::memory_order_relaxed)) {
          close();
        }
        break;
      case RespParser::Outcome::refused:
        refuse(parser_.error());
        break;
    }
    if (session_.close_after_reply || closed()) more_requests_ = false;
  }
}

void Connection::run_request() {
  const std::span<const BytesView> arguments = parser_.arguments();
  if (parser_.is_inline() && is_http(arguments)) {
    close();
    return;
  }
  if (!operation_) {
    operation_ = std::make_unique<Operation>(instance_, session_, output_, [this] {
      host_.post(session_.id, [](Connection& connection) { connection.resume(); });
    });
  }
  if (!operation_->start(arguments)) park();
}

void Connection::park() {
  waiting_ = true;
  const std::int64_t wake_at_ms = operation_->wake_at_ms();
  session_.blocked.store(!operation_->reading(), std::memory_order_relaxed);
  if (wake_at_ms != 0) host_.call_after_ms(*this, wake_at_ms - instance_.clock.wall_ms());
}

void Connection::time_has_come() {
  if (waiting_ && !operation_->reading()) resume();
}

void Connection::resume() {
  if (!waiting_) return;
  if (closed()) {
    host_.ended(*this);
    return;
  }
  waiting_ = false;
  session_.blocked.store(false, std::memory_order_relaxed);
  if (!operation_->resume()) {
    park();
    return;
  }
  more_requests_ = !session_.close_after_reply;
  advance();
}

// False: the client does not take more now, or is gone.
bool Connection::flush() {
  std::array<iovec, kFlushVectors> vectors;
  std::size_t sent = 0;
  while (!output_.empty()) {
    if (sent >= kFlushBytesMax) return false;
    const std::size_t filled = output_.gather(vectors);
    const Transport::Moved moved = transport_->write({vectors.data(), filled});
    write_waits_readable_ = moved.state == Transport::State::wait_readable;
    if (moved.state == Transport::State::broken) {
      close();
      return false;
    }
    if (moved.state != Transport::State::moved) return false;
    output_.consume(moved.bytes);
    sent += moved.bytes;
    active_ms_ = host_.now_ms();
    instance_.statistics.output_bytes.fetch_add(moved.bytes, std::memory_order_relaxed);
  }
  return true;
}

// All is said. If the socket were closed while bytes of the client wait in it, the system would
// tell the client so before it has read our last ones: we wait a little for it to hang up.
void Connection::finish_output() {
  ending_output_ = true;
  ending_since_ms_ = host_.now_ms();
  transport_->end_output();
  drain_input();
}

void Connection::drain_input() {
  std::array<char, 16 * 1024> thrown_away;
  std::size_t bytes = 0;
  while (bytes < kDrainBytesMax) {
    const Transport::Moved moved = transport_->read(thrown_away);
    if (moved.state == Transport::State::moved) {
      bytes += moved.bytes;
      continue;
    }
    if (moved.state == Transport::State::ended || moved.state == Transport::State::broken) {
      close();
      return;
    }
    break;
  }
  update_watch();
}

void Connection::deliver(const Bytes& bytes) {
  if (closed() || refused_ || session_.close_after_reply) return;
  output_.append(bytes);
  advance();
}

void Connection::look_at_kill() {
  if (session_.kill.load(std::memory_order_relaxed)) close();
}

bool Connection::output_too_large() {
  const NetworkSettings& network = instance_.settings->network;
  const NetworkSettings::OutputLimit& limit = session_.monitoring.load(std::memory_order_relaxed)
                                                  ? network.output_pushed
                                                  : network.output_normal;
  const std::uint64_t hard = limit.hard_bytes.load(std::memory_order_relaxed);
  if (hard != 0 && output_.size() > hard) return true;
  const std::uint64_t soft = limit.soft_bytes.load(std::memory_order_relaxed);
  if (soft == 0 || output_.size() <= soft) {
    over_soft_since_ms_ = 0;
    return false;
  }
  if (over_soft_since_ms_ == 0) over_soft_since_ms_ = host_.now_ms();
  return host_.now_ms() - over_soft_since_ms_ > limit.soft_s.load(std::memory_order_relaxed) * 1000;
}

void Connection::tick() {
  if (closed()) return;
  const std::int64_t now_ms = host_.now_ms();
  const std::int64_t timeout_s =
      instance_.settings->network.idle_timeout_s.load(std::memory_order_relaxed);
  const bool idle_too_long = timeout_s > 0 && !waiting_ &&
                             !session_.monitoring.load(std::memory_order_relaxed) &&
                             now_ms - active_ms_ > timeout_s * 1000;
  if (idle_too_long || (ending_output_ && now_ms - ending_since_ms_ > kEndingMs) ||
      output_too_large()) {
    close();
    return;
  }
  if (!waiting_ && operation_ && now_ms - active_ms_ > kIdleMemoryMs) operation_.reset();
}

bool Connection::wants_read() const noexcept {
  return ending_output_ || (!waiting_ && !more_requests_ && !session_.close_after_reply);
}

// Reading is waited for a little too long rather than taken back and asked for again at each wait
// of an operation: only when bytes do come (`strict`) is it taken back.
void Connection::update_watch(bool strict) {
  if (closed()) return;
  const bool read = wants_read();
  const bool write = !output_.empty();
  EventLoop::Interest interest;
  interest.readable = (read && !read_waits_writable_) || (write && write_waits_readable_);
  interest.writable = (write && !write_waits_readable_) || (read && read_waits_writable_);
  // Whoever waits for time may wait for ever: we must see the client go.
  interest.hangup = waiting_ && !operation_->reading();
  if (!strict && !interest.hangup && watched_.readable) interest.readable = true;
  if (interest == watched_) return;
  watched_ = interest;
  host_.watch(*this, interest);
}

}  // namespace strata::server
