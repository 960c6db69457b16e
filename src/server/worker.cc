#include "server/worker.h"

#include <sys/socket.h>

#include <vector>

#include "base/check.h"

namespace strata::server {
namespace {

constexpr std::int64_t kTickMs = 1000;

}  // namespace

struct Worker::Client final : EventLoop::Watcher {
  Client(Worker& worker, Descriptor socket, std::uint64_t id)
      : descriptor(socket.number()),
        connection(worker, worker.instance_, worker.memory_, socket_transport(std::move(socket)),
                   id) {}
  void ready(bool readable, bool, bool failed) override { connection.ready(readable, failed); }

  const int descriptor;
  bool watched = false;
  EventLoop::TimerId timer = 0;
  Connection connection;
};

Result<std::unique_ptr<Worker>> Worker::open(Instance& instance, RequestMemory& memory,
                                             std::atomic<std::uint64_t>& connections,
                                             unsigned index) {
  STRATA_LET(std::unique_ptr<EventLoop> loop, EventLoop::open(instance.clock));
  return std::unique_ptr<Worker>(new Worker(instance, memory, connections, index, std::move(loop)));
}

Worker::Worker(Instance& instance, RequestMemory& memory, std::atomic<std::uint64_t>& connections,
               unsigned index, std::unique_ptr<EventLoop> loop)
    : instance_(instance),
      memory_(memory),
      connections_(connections),
      index_(index),
      loop_(std::move(loop)) {}

Worker::~Worker() { stop(); }

Result<> Worker::start() {
  STRATA_LET(thread_, base::Thread::start("io-" + std::to_string(index_), [this] {
               loop_->call_after_ms(kTickMs, [this] { tick(); });
               loop_->run();
             }));
  return {};
}

void Worker::stop(EventLoop::Task first) {
  if (!thread_.joinable()) return;
  loop_->post([this, first = std::move(first)]() mutable {
    first();
    close_all();
  });
  thread_.join();
}

void Worker::take(Accepted accepted) {
  connections_.fetch_add(1, std::memory_order_relaxed);
  loop_->post([this, accepted = std::move(accepted)]() mutable { adopt(std::move(accepted)); });
}

void Worker::adopt(Accepted accepted) {
  if (stopping_) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  const std::uint64_t id = instance_.clients.next_id();
  auto client = std::make_unique<Client>(*this, std::move(accepted.socket), id);
  Session& session = client->connection.session();
  session.address = std::move(accepted.address);
  session.local_address = std::move(accepted.local_address);
  session.unix_socket = accepted.unix_socket;
  session.descriptor = client->descriptor;
  session.loop = index_;
  Connection& connection = client->connection;
  clients_.emplace(id, std::move(client));
  connection.open();
}

void Worker::tick() {
  std::vector<Connection*> connections;  // close() does not remove any now, but the next tick may
  connections.reserve(clients_.size());
  for (const auto& [id, client] : clients_) connections.push_back(&client->connection);
  for (Connection* connection : connections) connection->tick();
  loop_->call_after_ms(kTickMs, [this] { tick(); });
}

void Worker::close_all() {
  stopping_ = true;
  for (const auto& [id, client] : clients_) client->connection.finish();
  if (clients_.empty()) loop_->stop();
}

Worker::Client& Worker::client_of(Connection& connection) {
  const auto client = clients_.find(connection.session().id);
  STRATA_CHECK(client != clients_.end());
  return *client->second;
}

void Worker::watch(Connection& connection, EventLoop::Interest interest) {
  Client& client = client_of(connection);
  if (client.watched) {
    loop_->change(client.descriptor, client, interest);
    return;
  }
  client.watched = true;
  if (!loop_->watch(client.descriptor, client, interest)) {
    client.watched = false;  // the system's limit of watches: this client cannot be served
    loop_->defer([this, id = connection.session().id] {
      if (const auto found = clients_.find(id); found != clients_.end()) {
        found->second->connection.close();
      }
    });
  }
}

void Worker::call_after_ms(Connection& connection, std::int64_t ms) {
  Client& client = client_of(connection);
  if (client.timer != 0) loop_->cancel(client.timer);
  client.timer = loop_->call_after_ms(ms, [&client] {
    client.timer = 0;
    client.connection.time_has_come();
  });
}

void Worker::post(std::uint64_t id, Task task) {
  loop_->post([this, id, task = std::move(task)] {
    const auto client = clients_.find(id);
    if (client != clients_.end()) task(client->second->connection);
  });
}

void Worker::closing(Connection& connection) {
  Client& client = client_of(connection);
  if (client.watched) loop_->forget(client.descriptor);
  client.watched = false;
  if (client.timer != 0) loop_->cancel(client.timer);
  client.timer = 0;
}

void Worker::ended(Connection& connection) {
  loop_->defer([this, id = connection.session().id] {
    clients_.erase(id);
    connections_.fetch_sub(1, std::memory_order_relaxed);
    if (stopping_ && clients_.empty()) loop_->stop();
  });
}

}  // namespace strata::server
