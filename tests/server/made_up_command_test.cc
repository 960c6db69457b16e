// A command is a row and a handler: this one exists nowhere but here, and the server knows all of
// it.
#include <gtest/gtest.h>

#include "server/test_client.h"
#include "server/test_server.h"

namespace strata::server {
namespace {

// DOUBLE key: the value twice, written back; the reply is its new length.
Step double_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (record == nullptr) {
    call.reply.null();
    return Step::done;
  }
  Bytes twice = record->value.to_bytes() + record->value.to_bytes();
  call.reply.integer(static_cast<std::int64_t>(twice.size()));
  call.batch.put(call.key(1), twice);
  return Step::done;
}

constexpr KeySpec kOneKey[] = {{.flags = kKeyRW | kKeyUpdate, .index = 1}};
const CommandSpec kRows[] = {{.name = "double",
                              .arity = 2,
                              .flags = kWrite | kDenyOom,
                              .categories = kStringCategory,
                              .keys = kOneKey,
                              .handler = double_command,
                              .group = "string",
                              .since = "9.9.9",
                              .summary = "Writes a value twice"}};

TEST(MadeUpCommand, WorksThroughARealConnection) {
  TestServer server({.more_commands = kRows});
  TestClient client(server.port());
  EXPECT_EQ(client.call({"DOUBLE", "k"}), "$-1\r\n");
  EXPECT_EQ(client.call({"SET", "k", "ab"}), "+OK\r\n");
  EXPECT_EQ(client.call({"double", "k"}), ":4\r\n");
  EXPECT_EQ(client.call({"GET", "k"}), "$4\r\nabab\r\n");
}

TEST(MadeUpCommand, HasItsArityItsKeysAndItsDocumentation) {
  TestServer server({.more_commands = kRows});
  TestClient client(server.port());
  EXPECT_EQ(client.call({"DOUBLE"}), "-ERR wrong number of arguments for 'double' command\r\n");
  EXPECT_EQ(client.call({"COMMAND", "GETKEYS", "DOUBLE", "k"}), "*1\r\n$1\r\nk\r\n");
  EXPECT_NE(client.call({"COMMAND", "DOCS", "DOUBLE"}).find("Writes a value twice"),
            std::string::npos);
  EXPECT_NE(client.call({"COMMAND", "LIST"}).find("double"), std::string::npos);
}

TEST(MadeUpCommand, IsUnknownToOtherServers) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.call({"DOUBLE", "k"}),
            "-ERR unknown command 'DOUBLE', with args beginning with: 'k' \r\n");
}

}  // namespace
}  // namespace strata::server
