// TestServer: a whole server over the memory engine, or over a given one, on a port of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "base/clock.h"
#include "io/posix_file_system.h"
#include "server/server.h"
#include "strata/backend.h"

namespace strata::server {

inline std::unique_ptr<Engine> memory_engine() {
  const Registry registry = Registry::builtin();
  const BackendSpec& memory = *registry.backend("memory");
  Result<std::unique_ptr<Engine>> engine =
      memory.open(OptionValues(memory.options),
                  Environment{.files = io::posix(), .clock = base::system_clock(), .folder = ""});
  EXPECT_TRUE(engine.has_value());
  return *std::move(engine);
}

class TestServer {
 public:
  struct Options {
    unsigned threads = 1;
    std::string unix_socket{};
    std::span<const CommandSpec> more_commands{};
    std::vector<std::pair<std::string, std::string>> settings{};
  };
  explicit TestServer(const Options& options, std::unique_ptr<Engine> engine = memory_engine())
      : engine_(std::move(engine)) {
    auto settings = std::make_unique<Settings>();
    for (const auto& [name, value] : options.settings) {
      EXPECT_TRUE(settings->set(name, value).has_value()) << name;
    }
    Result<std::unique_ptr<Listener>> listener =
        Listener::open({.port = 0, .unix_socket = options.unix_socket});
    EXPECT_TRUE(listener.has_value());
    ServerOptions server_options;
    server_options.threads = options.threads;
    server_options.more_commands = options.more_commands;
    Result<std::unique_ptr<Server>> server = Server::start(
        *engine_, base::system_clock(), std::move(settings), *std::move(listener), server_options);
    EXPECT_TRUE(server.has_value());
    server_ = *std::move(server);
  }
  TestServer() : TestServer(Options{}) {}

  Server* operator->() noexcept { return server_.get(); }
  std::uint16_t port() const { return server_->port(); }
  Engine& engine() { return *engine_; }

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Server> server_;
};

}  // namespace strata::server
