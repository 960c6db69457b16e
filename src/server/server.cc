#include "server/server.h"

#include <algorithm>

#include "server/machine.h"

namespace strata::server {
namespace {

constexpr std::int64_t kUpkeepMs = 100;
constexpr std::uint32_t kUpkeepRecords = 1000;  // a step
constexpr int kUpkeepStepsMax = 100;            // a round; the rest has time until the next

}  // namespace

Server::Server(std::unique_ptr<Instance> instance, std::unique_ptr<Listener> listener)
    : instance_(std::move(instance)),
      request_memory_(instance_->settings->network.request_bytes_max),
      listener_(std::move(listener)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(Engine& engine, base::Clock& clock,
                                              std::unique_ptr<Settings> settings,
                                              std::unique_ptr<Listener> listener,
                                              const ServerOptions& options) {
  const unsigned threads = std::max(options.threads, 1U);
  STRATA_LET(std::unique_ptr<Instance> instance,
             Instance::open(engine, clock, std::move(settings), threads));
  STRATA_TRY(instance->commands.add(options.more_commands));
  STRATA_TRY(instance->settings->set("port", std::to_string(listener->port())));
  instance->backend_name = options.backend_name;
  instance->data_folder = options.data_folder;
  instance->config_path = options.config_path;
  instance->startup_bytes = resident_bytes_now();
  std::unique_ptr<Server> server(new Server(std::move(instance), std::move(listener)));
  STRATA_TRY(server->begin(threads));
  return server;
}

Result<> Server::begin(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) {
    STRATA_LET(std::unique_ptr<Worker> worker,
               Worker::open(*instance_, request_memory_, connections_, i));
    workers_.push_back(std::move(worker));
  }
  STRATA_TRY(
      listener_->start(workers_[0]->loop(), *instance_, connections_, [this](Accepted accepted) {
        workers_[next_worker_++ % workers_.size()]->take(std::move(accepted));
      }));
  running_ = true;
  for (const std::unique_ptr<Worker>& worker : workers_) STRATA_TRY(worker->start());
  STRATA_LET(upkeep_, base::Thread::start("upkeep", [this] { keep_up(); }));
  return {};
}

void Server::stop() {
  if (!running_) return;
  running_ = false;
  workers_[0]->stop([this] { listener_->stop(); });
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop();
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  upkeep_.join();
}

// Space of expired records and dropped databases comes back here, in steps, so that it is on no
// request's way.
void Server::keep_up() {
  base::MutexLock lock(mutex_);
  while (!stopping_) {
    (void)wake_.wait_for_ms(mutex_, kUpkeepMs);
    for (int step = 0; step < kUpkeepStepsMax && !stopping_; ++step) {
      mutex_.unlock();
      const Result<Maintenance> done = instance_->engine.maintain(kUpkeepRecords);
      const Result<bool> swept = instance_->databases->sweep(kUpkeepRecords);
      mutex_.lock();
      if (!(done && done->more) && !(swept && *swept)) break;
    }
  }
}

}  // namespace strata::server
