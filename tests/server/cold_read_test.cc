// A read that waits for a device stops its own client and nobody else. The reads of one key wait
// here until the test lets them go, so that nothing depends on time.
#include <gtest/gtest.h>

#include <thread>

#include "server/cold_engine.h"
#include "server/test_client.h"

namespace strata::server {
namespace {

class ColdRead : public ::testing::Test {
 protected:
  void wait_for_reads(std::size_t count) {
    while (engine_->waiting() < count) std::this_thread::yield();
  }

  std::unique_ptr<ColdEngine> owned_ = std::make_unique<ColdEngine>("cold");
  ColdEngine* const engine_ = owned_.get();
  TestServer server_{{.threads = 1}, std::move(owned_)};
};

TEST_F(ColdRead, OthersOfTheSameThreadAreAnsweredMeanwhile) {
  TestClient waiter(server_.port());
  TestClient other(server_.port());
  ASSERT_EQ(other.call({"SET", "cold", "c"}), "+OK\r\n");
  waiter.send(TestClient::request({"SET", "a", "1"}) + TestClient::request({"GET", "cold"}) +
              TestClient::request({"GET", "a"}) + TestClient::request({"PING"}));
  wait_for_reads(1);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(other.call({"SET", "a", std::to_string(i)}), "+OK\r\n");
  }
  ASSERT_EQ(engine_->waiting(), 1u);
  engine_->release();
  EXPECT_EQ(waiter.reply(), "+OK\r\n");
  EXPECT_EQ(waiter.reply(), "$1\r\nc\r\n");
  EXPECT_EQ(waiter.reply(), "$2\r\n99\r\n") << "what came behind the wait sees the present";
  EXPECT_EQ(waiter.reply(), "+PONG\r\n");
}

TEST_F(ColdRead, RequestsThatComeDuringTheWaitKeepTheirOrder) {
  TestClient waiter(server_.port());
  waiter.command({"GET", "cold"});
  wait_for_reads(1);
  for (int i = 0; i < 50; ++i) waiter.command({"ECHO", std::to_string(i)});
  EXPECT_EQ(TestClient(server_.port()).call({"PING"}), "+PONG\r\n");
  engine_->release();
  EXPECT_EQ(waiter.reply(), "$-1\r\n");
  for (int i = 0; i < 50; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(waiter.reply(), "$" + std::to_string(number.size()) + "\r\n" + number + "\r\n");
  }
}

TEST_F(ColdRead, AReadModifyWriteStaysAtomicOverTheWait) {
  TestClient one(server_.port());
  TestClient two(server_.port());
  one.command({"APPEND", "cold", "a"});
  wait_for_reads(1);
  ASSERT_EQ(two.call({"SET", "cold", "xyz"}), "+OK\r\n");
  engine_->release();
  // What it has read now is gone when it commits, or was there already: then it reads again.
  std::string reply;
  std::thread reader([&] { reply = one.reply(); });
  ASSERT_EQ(two.call({"PING"}), "+PONG\r\n");
  engine_->release();
  reader.join();
  EXPECT_EQ(reply, ":4\r\n");
}

TEST_F(ColdRead, AFailedReadIsAnErrorReply) {
  TestClient client(server_.port());
  client.send(TestClient::request({"GET", "cold"}) + TestClient::request({"PING"}));
  wait_for_reads(1);
  engine_->release(Error(Code::io, "device 7 does not answer"));
  EXPECT_EQ(client.reply(), "-ERR device 7 does not answer\r\n");
  EXPECT_EQ(client.reply(), "+PONG\r\n");
}

TEST_F(ColdRead, AKilledClientLivesOnUntilItsReadHasEnded) {
  auto waiter = std::make_unique<TestClient>(server_.port());
  TestClient other(server_.port());
  waiter->command({"GET", "cold"});
  wait_for_reads(1);
  EXPECT_EQ(other.call({"CLIENT", "KILL", "TYPE", "normal"}), ":1\r\n");
  EXPECT_TRUE(waiter->closed());
  engine_->release();
  EXPECT_EQ(other.call({"PING"}), "+PONG\r\n");
}

TEST_F(ColdRead, AClientThatLeavesDuringItsReadHarmsNobody) {
  auto waiter = std::make_unique<TestClient>(server_.port());
  TestClient other(server_.port());
  waiter->command({"GET", "cold"});
  wait_for_reads(1);
  waiter.reset();
  ASSERT_EQ(other.call({"PING"}), "+PONG\r\n");
  engine_->release();
  EXPECT_EQ(other.call({"PING"}), "+PONG\r\n");
}

TEST_F(ColdRead, AStopWaitsForTheRead) {
  TestClient waiter(server_.port());
  waiter.command({"GET", "cold"});
  wait_for_reads(1);
  std::thread stopper([&] { server_->stop(); });
  EXPECT_TRUE(waiter.closed());
  engine_->release();
  stopper.join();
}

TEST_F(ColdRead, AMonitorsLinesMayComeDuringItsOwnWait) {
  TestClient monitor(server_.port());
  TestClient other(server_.port());
  ASSERT_EQ(monitor.call({"MONITOR"}), "+OK\r\n");
  monitor.command({"GET", "cold"});
  wait_for_reads(1);
  ASSERT_EQ(other.call({"SET", "k", "v"}), "+OK\r\n");
  EXPECT_NE(monitor.reply().find("\"SET\" \"k\" \"v\""), std::string::npos);
  engine_->release();
  EXPECT_EQ(monitor.reply(), "$-1\r\n");
  EXPECT_NE(monitor.reply().find("\"GET\" \"cold\""), std::string::npos);
}

}  // namespace
}  // namespace strata::server
