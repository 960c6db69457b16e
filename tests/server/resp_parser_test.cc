// Requests come out of the bytes however these are cut, and what is wrong is refused in Redis's
// words without memory for what was only announced.
#include "server/resp_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace strata::server {
namespace {

using Words = std::vector<std::string>;

struct Parsed {
  std::vector<Words> requests;
  std::string error;
  friend bool operator==(const Parsed&, const Parsed&) = default;
};

class ParserTest : public ::testing::Test {
 protected:
  // Gives the bytes in pieces of the lengths that `cut` says, as reads of a socket would.
  template <class Cut>
  Parsed parse(std::string_view bytes, Cut cut, RespParser::Limits limits = {}) {
    RequestMemory::Share share(memory_, [] {});
    RespParser parser(pool_, share);
    Parsed parsed;
    while (!bytes.empty()) {
      const std::span<char> room = parser.room();
      if (room.empty()) {
        parsed.error = parser.error();
        return parsed;
      }
      const std::size_t count = std::min({room.size(), bytes.size(), std::size_t{cut()}});
      std::memcpy(room.data(), bytes.data(), count);
      bytes.remove_prefix(count);
      parser.filled(count);
      RespParser::Outcome outcome;
      while ((outcome = parser.next(limits)) == RespParser::Outcome::request) {
        Words words;
        for (const BytesView argument : parser.arguments()) words.emplace_back(argument);
        parsed.requests.push_back(std::move(words));
      }
      if (outcome == RespParser::Outcome::refused) {
        parsed.error = parser.error();
        return parsed;
      }
      parser.settle();
      most_held_ = std::max(most_held_, share.held());
    }
    last_held_ = share.held();
    return parsed;
  }
  Parsed parse(std::string_view bytes, RespParser::Limits limits = {}) {
    return parse(bytes, [] { return std::size_t{1} << 20; }, limits);
  }

  std::atomic<std::uint64_t> bytes_max_{64ull << 20};
  RequestMemory memory_{bytes_max_};
  BufferPool pool_;
  std::size_t most_held_ = 0;
  std::size_t last_held_ = 0;
};

std::string bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}

std::string sample() {
  return "*2\r\n" + bulk("GET") + bulk(std::string_view("a\0b\r\n", 5)) + "PING\r\n" +
         "*0\r\n*-1\r\n\r\n  set  \"x y\\x41\\n\" 'it\\'s'\n" + "*3\r\n" + bulk("SET") + bulk("") +
         bulk(std::string(300, 'v')) + "*1\r\n" + bulk("QUIT");
}

TEST_F(ParserTest, AnyOneCutGivesTheSameRequests) {
  const Parsed whole = parse(sample());
  ASSERT_EQ(whole.requests.size(), 5u);
  EXPECT_EQ(whole.requests[0], (Words{"GET", std::string("a\0b\r\n", 5)}));
  EXPECT_EQ(whole.requests[2], (Words{"set", "x yA\n", "it's"}));
  for (std::size_t at = 1; at < sample().size(); ++at) {
    std::size_t next = at;
    const Parsed cut = parse(sample(), [&] { return std::exchange(next, sample().size()); });
    ASSERT_EQ(cut, whole) << "cut at byte " << at;
  }
  EXPECT_EQ(last_held_, 0u);
}

TEST_F(ParserTest, RandomCutsGiveTheSameRequests) {
  std::string bytes;
  for (const std::size_t size : {40'000U, 20'000U, 32'768U, 0U, 100'000U}) {
    bytes += "*3\r\n" + bulk("SET") + bulk("key") + bulk(std::string(size, 'z')) + sample();
  }
  const Parsed whole = parse(bytes);
  ASSERT_EQ(whole.requests.size(), 30u);
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    const std::size_t longest = std::size_t{1} << (random() % 18);
    ASSERT_EQ(parse(bytes, [&] { return 1 + random() % longest; }), whole) << "seed " << seed;
  }
  EXPECT_EQ(last_held_, 0u);
  EXPECT_EQ(memory_.used(), 0u);
}

TEST_F(ParserTest, RefusesInRedissWords) {
  const auto error = [&](std::string_view bytes) { return parse(bytes).error; };
  EXPECT_EQ(error("*x\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(error("*\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(error("*1048577\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(error("*99999999999999999999999\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(error("*1\r\nfoo\r\n"), "ERR Protocol error: expected '$', got 'f'");
  EXPECT_EQ(error("*1\r\n$-1\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(error("*1\r\n$536870913\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(error("*1\r\n$1 \r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(error("*" + std::string(70'000, '1')),
            "ERR Protocol error: too big mbulk count string");
  EXPECT_EQ(error("*1\r\n$" + std::string(70'000, '1')),
            "ERR Protocol error: too big bulk count string");
  EXPECT_EQ(error(std::string(70'000, 'a')), "ERR Protocol error: too big inline request");
  EXPECT_EQ(error("set \"a\r\n"), "ERR Protocol error: unbalanced quotes in request");
  EXPECT_EQ(error("set \"a\"b\r\n"), "ERR Protocol error: unbalanced quotes in request");
}

TEST_F(ParserTest, StrangersMayAskForLittle) {
  const RespParser::Limits limits{.stranger = true};
  EXPECT_EQ(parse("*11\r\n", limits).error, "ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(parse("*1\r\n$16385\r\n", limits).error,
            "ERR Protocol error: unauthenticated bulk length");
  EXPECT_EQ(parse("*2\r\n" + bulk("AUTH") + bulk("x"), limits).requests.size(), 1u);
}

TEST_F(ParserTest, WhatIsOnlyAnnouncedCostsNothing) {
  EXPECT_EQ(parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n").error, "");
  EXPECT_LE(most_held_, 1024u);
  EXPECT_EQ(parse("*1048576\r\n").error, "");
  EXPECT_LE(most_held_, 1024u);
}

TEST_F(ParserTest, MemoryFollowsWhatArrived) {
  const std::string bytes =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n" + std::string(1'000'000, 'x');
  EXPECT_EQ(parse(bytes).error, "");
  EXPECT_LE(most_held_, 2'000'000u);
}

TEST_F(ParserTest, ManySmallArgumentsCountAsMemory) {
  bytes_max_ = 1 << 20;
  RequestMemory::Share other(memory_, [] {});
  ASSERT_TRUE(other.resize(512 * 1024));
  std::string bytes = "*1000000\r\n";
  for (int i = 0; i < 500'000; ++i) bytes += "$0\r\n\r\n";
  EXPECT_NE(parse(bytes).error, "");
}

TEST(RequestMemory, TheGreediestGoesFirst) {
  const std::atomic<std::uint64_t> bytes_max{10 << 20};
  RequestMemory memory(bytes_max);
  int evicted = 0;
  RequestMemory::Share greedy(memory, [&] { ++evicted; });
  RequestMemory::Share modest(memory, [] { FAIL(); });
  ASSERT_TRUE(modest.resize(4 << 20));
  ASSERT_TRUE(greedy.resize(6 << 20));
  EXPECT_FALSE(greedy.resize(7 << 20)) << "it is the greediest itself";
  EXPECT_TRUE(modest.resize(5 << 20)) << "another is greedier";
  EXPECT_EQ(evicted, 1);
  EXPECT_FALSE(greedy.resize(7 << 20)) << "it was told to go";
  ASSERT_TRUE(greedy.resize(0));
  EXPECT_EQ(memory.used(), 5u << 20);
}

TEST(RequestMemory, ALoneGiantAndSmallOnesAreGranted) {
  const std::atomic<std::uint64_t> bytes_max{1 << 20};
  RequestMemory memory(bytes_max);
  RequestMemory::Share giant(memory, [] {});
  RequestMemory::Share small(memory, [] {});
  EXPECT_TRUE(giant.resize(512 << 20));
  EXPECT_TRUE(small.resize(RequestMemory::kSmallBytes));
}

}  // namespace
}  // namespace strata::server
