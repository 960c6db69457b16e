// Real clients on real sockets: pipelines, halves, hostile ones, limits, and a clean stop.
#include <gtest/gtest.h>

#include <thread>

#include "io/temp_folder.h"
#include "server/test_client.h"
#include "server/test_server.h"

namespace strata::server {
namespace {

TEST(Connection, AnswersAPipelineOfTenThousandInOrder) {
  TestServer server;
  TestClient client(server.port());
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) {
    bytes +=
        TestClient::request({"SET", "k", std::to_string(i)}) + TestClient::request({"GET", "k"});
  }
  std::thread sender([&] { client.send(bytes); });
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(client.reply(), "+OK\r\n");
    ASSERT_EQ(client.reply(), "$" + std::to_string(number.size()) + "\r\n" + number + "\r\n");
  }
  sender.join();
}

TEST(Connection, PutsHalvesTogether) {
  TestServer server;
  TestClient client(server.port());
  TestClient other(server.port());
  for (const char letter : TestClient::request({"SET", "k", "value"})) {
    client.send(std::string(1, letter));
    ASSERT_EQ(other.call({"PING"}), "+PONG\r\n");
  }
  EXPECT_EQ(client.reply(), "+OK\r\n");
  const std::string big(3'000'000, 'b');
  EXPECT_EQ(client.call({"SET", "big", big}), "+OK\r\n");
  EXPECT_EQ(client.call({"GET", "big"}), "$3000000\r\n" + big + "\r\n");
}

TEST(Connection, TellsWhatIsWrongAndCloses) {
  TestServer server;
  TestClient client(server.port());
  client.send("*1\r\n$4\r\nPING\r\n*1\r\nPING\r\n" + std::string(100'000, 'x'));
  EXPECT_EQ(client.reply(), "+PONG\r\n");
  EXPECT_EQ(client.reply(), "-ERR Protocol error: expected '$', got 'P'\r\n");
  EXPECT_TRUE(client.closed());
}

TEST(Connection, DoesNotTalkToBrowsers) {
  TestServer server;
  TestClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\n\r\nSET k v\r\n");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(TestClient(server.port()).call({"GET", "k"}), "$-1\r\n");
}

TEST(Connection, QuitsAfterTheReply) {
  TestServer server;
  TestClient client(server.port());
  client.send("PING\r\nQUIT\r\nPING\r\n");
  EXPECT_EQ(client.reply(), "+PONG\r\n");
  EXPECT_EQ(client.reply(), "+OK\r\n");
  EXPECT_EQ(client.reply(), "");
}

TEST(Connection, AClientThatNeverReadsCostsABoundedAmountAndOthersGoOn) {
  TestServer server;
  TestClient reader(server.port());
  ASSERT_EQ(reader.call({"SET", "k", std::string(8000, 'v')}), "+OK\r\n");
  TestClient deaf(server.port());
  const std::string request = TestClient::request({"GET", "k"});
  // Until the server reads no more: both sockets' buffers are full then.
  int refusals = 0;
  while (refusals < 50) {
    if (deaf.send_some(request) > 0) {
      refusals = 0;
    } else {
      ++refusals;
      ASSERT_EQ(reader.call({"PING"}), "+PONG\r\n");
    }
  }
  std::uint64_t waiting = 0;
  server->instance().clients.visit(
      [&](Session& session) { waiting = std::max(waiting, session.output_bytes.load()); });
  EXPECT_LE(waiting, 2 * Connection::kOutputSoftBytes);
}

TEST(Connection, HundredsThatHalfSendHugeRequestsHarmNobody) {
  TestServer server({.settings = {{"timeout", "0"}}});
  server->instance().settings->network.request_bytes_max = 4 << 20;
  TestClient good(server.port());
  std::vector<std::unique_ptr<TestClient>> hostile;
  const std::string half =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n" + std::string(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    hostile.push_back(std::make_unique<TestClient>(server.port()));
    hostile.back()->send(half);
    ASSERT_EQ(good.call({"SET", "g", std::string(20'000, 'g')}), "+OK\r\n");
  }
  // 20 MB were sent, and about 4 MiB may be held.
  TestClient(server.port()).call({"PING"});
  EXPECT_LE(server->request_memory().used(), std::uint64_t{6} << 20);
  // Whoever had to go was told why.
  std::uint64_t unfinished = 0;
  server->instance().clients.visit(
      [&](Session& session) { unfinished += session.query_bytes.load(); });
  EXPECT_LE(unfinished, std::uint64_t{6} << 20);
  EXPECT_GE(server->instance().statistics.errors()["ERR"], 50u);
}

TEST(Connection, RefusesMoreClientsThanConfigured) {
  TestServer server({.settings = {{"maxclients", "2"}}});
  TestClient one(server.port());
  TestClient two(server.port());
  ASSERT_EQ(one.call({"PING"}), "+PONG\r\n");
  ASSERT_EQ(two.call({"PING"}), "+PONG\r\n");
  TestClient three(server.port());
  EXPECT_EQ(three.reply(), "-ERR max number of clients reached\r\n");
  EXPECT_TRUE(three.closed());
}

TEST(Connection, ServesAUnixSocket) {
  const io::TempFolder folder;
  const std::string path = folder.path() + "/s.sock";
  {
    TestServer server({.unix_socket = path});
    TestClient client(path);
    EXPECT_EQ(client.call({"PING"}), "+PONG\r\n");
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0) << "the socket goes with the server";
}

TEST(Connection, StopsCleanlyWithClientsConnected) {
  auto server = std::make_unique<TestServer>(TestServer::Options{.threads = 3});
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<TestClient>(server->port()));
    ASSERT_EQ(clients.back()->call({"SET", "k", "v"}), "+OK\r\n");
  }
  server.reset();
  for (const auto& client : clients) EXPECT_TRUE(client->closed());
}

TEST(Connection, AClientThatWaitsForEverIsKnownToBeBlocked) {
  TestServer server;
  TestClient waiter(server.port());
  TestClient other(server.port());
  waiter.command({"WAIT", "1", "0"});
  while (other.call({"CLIENT", "LIST"}).find("cmd=wait") == std::string::npos) {
  }
  EXPECT_NE(other.call({"INFO", "clients"}).find("blocked_clients:1"), std::string::npos);
  EXPECT_EQ(other.call({"CLIENT", "KILL", "TYPE", "normal"}), ":1\r\n");
  EXPECT_TRUE(waiter.closed());
}

TEST(Connection, KillsAnotherClient) {
  TestServer server({.threads = 2});
  TestClient victim(server.port());
  TestClient killer(server.port());
  const std::string id = victim.call({"CLIENT", "ID"});
  EXPECT_EQ(killer.call({"CLIENT", "KILL", "ID", id.substr(1, id.size() - 3)}), ":1\r\n");
  EXPECT_TRUE(victim.closed());
}

TEST(Connection, TellsMonitorsOfAllThreads) {
  TestServer server({.threads = 2});
  TestClient monitor(server.port());
  ASSERT_EQ(monitor.call({"MONITOR"}), "+OK\r\n");
  TestClient one(server.port());
  TestClient two(server.port());
  ASSERT_EQ(one.call({"SET", "a", "1"}), "+OK\r\n");
  EXPECT_NE(monitor.reply().find("\"SET\" \"a\" \"1\""), std::string::npos);
  ASSERT_EQ(two.call({"SET", "b", "2"}), "+OK\r\n");
  EXPECT_NE(monitor.reply().find("\"SET\" \"b\" \"2\""), std::string::npos);
}

}  // namespace
}  // namespace strata::server
