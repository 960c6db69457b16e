// Any bytes, in random cuts, through a whole connection without a socket: parser, command table,
// execution, the memory store. Whatever comes, the connection answers or ends, and gives back all
// memory of requests.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "base/check.h"
#include "base/random.h"
#include "io/posix_file_system.h"
#include "server/connection.h"
#include "strata/backend.h"

namespace strata::server {
namespace {

// The client: gives the input in pieces of random lengths, takes replies in pieces of its own.
class FuzzTransport final : public Transport {
 public:
  FuzzTransport(BytesView input, std::uint64_t seed) : input_(input), random_(seed) {}

  Moved read(std::span<char> into) override {
    if (random_.uniform(4) == 0) return {State::wait_readable};
    if (input_.empty()) return {State::ended};
    const std::size_t most = std::min(into.size(), input_.size());
    const std::size_t longest = std::size_t{1} << random_.uniform(12);
    const std::size_t bytes = std::min(most, 1 + random_.uniform(longest));
    std::memcpy(into.data(), input_.data(), bytes);
    input_.remove_prefix(bytes);
    return {State::moved, bytes};
  }
  Moved write(std::span<const iovec> from) override {
    if (random_.uniform(4) == 0) return {State::wait_writable};
    std::size_t bytes = 0;
    for (const iovec& piece : from) bytes += piece.iov_len;
    return {State::moved, 1 + random_.uniform(bytes)};
  }
  void end_output() override {}

 private:
  BytesView input_;
  base::Random random_;
};

class FuzzHost final : public ConnectionHost {
 public:
  BufferPool& buffers() override { return buffers_; }
  std::int64_t now_ms() const override { return 1; }
  void watch(Connection&, EventLoop::Interest) override {}
  void call_after_ms(Connection&, std::int64_t) override { timer = true; }
  void post(std::uint64_t, Task task) override { posted.push_back(std::move(task)); }
  void closing(Connection&) override {}
  void ended(Connection&) override { over = true; }

  std::deque<Task> posted;
  bool timer = false;
  bool over = false;

 private:
  BufferPool buffers_;
};

std::unique_ptr<Engine> new_engine() {
  const Registry registry = Registry::builtin();
  const BackendSpec& memory = *registry.backend("memory");
  Result<std::unique_ptr<Engine>> engine =
      memory.open(OptionValues(memory.options),
                  Environment{.files = io::posix(), .clock = base::system_clock(), .folder = ""});
  STRATA_CHECK(engine.has_value());
  return *std::move(engine);
}

void run(BytesView input, std::uint64_t seed) {
  const std::unique_ptr<Engine> engine = new_engine();
  auto settings = std::make_unique<Settings>();
  settings->network.bulk_bytes_max = 1 << 20;  // a value of zeros costs time and finds nothing
  if (seed % 8 == 0) settings->set_password("secret");
  Result<std::unique_ptr<Instance>> instance =
      Instance::open(*engine, base::system_clock(), std::move(settings), 1);
  STRATA_CHECK(instance.has_value());
  RequestMemory memory((*instance)->settings->network.request_bytes_max);
  FuzzHost host;
  {
    Connection connection(host, **instance, memory, std::make_unique<FuzzTransport>(input, seed),
                          1);
    connection.open();
    // A waiting command would wait for time: a few looks are enough, then the client goes.
    constexpr int kWaitsMax = 100;
    for (int waits = 0; !host.over && waits < kWaitsMax;) {
      connection.ready(true, false);
      while (!host.posted.empty() && !host.over) {
        const ConnectionHost::Task task = std::move(host.posted.front());
        host.posted.pop_front();
        task(connection);
      }
      if (host.timer && !host.over) {
        host.timer = false;
        ++waits;
        connection.time_has_come();
      }
      if (connection.session().blocked.load()) ++waits;
    }
    connection.close();
    STRATA_CHECK(host.over);
    STRATA_CHECK((*instance)->clients.count() == 0);
  }
  STRATA_CHECK(memory.used() == 0);
}

}  // namespace
}  // namespace strata::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  std::uint64_t seed = 0;
  std::memcpy(&seed, data, sizeof(seed));
  strata::server::run({reinterpret_cast<const char*>(data) + 8, size - 8}, seed);
  return 0;
}
