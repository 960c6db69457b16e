// Concurrent read-modify-writes through whole servers lose nothing: a commit that came too late is
// run again.
#include "server/operation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "server/test_client.h"
#include "server/test_server.h"

namespace strata::server {
namespace {

constexpr int kClients = 4;
constexpr int kCalls = 500;

template <class Body>
void run_clients(const TestServer& server, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      TestClient client(server.port());
      for (int call = 0; call < kCalls; ++call) body(client, i, call);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Operation, ConcurrentIncrementsLoseNothing) {
  TestServer server({.threads = 3});
  run_clients(server, [](TestClient& client, int, int) { client.call({"INCR", "n"}); });
  EXPECT_EQ(TestClient(server.port()).call({"GET", "n"}),
            "$4\r\n" + std::to_string(kClients * kCalls) + "\r\n");
}

TEST(Operation, ConcurrentAppendsLoseNothing) {
  TestServer server({.threads = 3});
  run_clients(server, [](TestClient& client, int who, int) {
    client.call({"APPEND", "s", std::string(1, static_cast<char>('a' + who))});
  });
  const std::string reply = TestClient(server.port()).call({"GET", "s"});
  for (int who = 0; who < kClients; ++who) {
    EXPECT_EQ(std::count(reply.begin(), reply.end(), static_cast<char>('a' + who)), kCalls);
  }
}

TEST(Operation, OneOfManyConditionalWritesWins) {
  TestServer server({.threads = 3});
  std::atomic<int> won{0};
  run_clients(server, [&](TestClient& client, int, int call) {
    if (client.call({"SETNX", "k" + std::to_string(call), "v"}) == ":1\r\n") ++won;
  });
  EXPECT_EQ(won, kCalls);
}

TEST(Operation, ConflictsReadAgain) {
  // SET ... GET returns each value that was there exactly once, however the calls interleave.
  TestServer server({.threads = 3});
  base::Mutex mutex;
  std::set<std::string> seen;
  run_clients(server, [&](TestClient& client, int who, int call) {
    const std::string value = std::to_string(who) + ":" + std::to_string(call);
    const std::string old = client.call({"SET", "k", value, "GET"});
    const base::MutexLock lock(mutex);
    EXPECT_TRUE(seen.insert(old).second) << old;
  });
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kClients * kCalls));
}

TEST(Operation, FlushesRunAloneAmongWrites) {
  TestServer server({.threads = 3});
  run_clients(server, [](TestClient& client, int who, int call) {
    if (who == 0 && call % 50 == 0) {
      client.call({"FLUSHDB"});
    } else {
      client.call({"INCR", "n"});
    }
  });
  EXPECT_EQ(TestClient(server.port()).call({"FLUSHALL"}), "+OK\r\n");
  EXPECT_EQ(TestClient(server.port()).call({"DBSIZE"}), ":0\r\n");
}

}  // namespace
}  // namespace strata::server
