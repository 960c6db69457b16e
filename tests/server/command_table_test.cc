// The command table: look-up, arity, keys, and that its rows are whole.
#include "server/command_table.h"

#include <gtest/gtest.h>

namespace strata::server {
namespace {

CommandTable builtin() {
  CommandTable table;
  EXPECT_TRUE(add_builtin_commands(table).has_value());
  return table;
}

std::vector<std::size_t> places(const CommandTable& table, std::vector<BytesView> arguments) {
  const Command* command = table.find(arguments);
  std::vector<KeyAt> keys;
  if (command == nullptr || !command->keys(arguments, keys)) return {};
  std::vector<std::size_t> found;
  for (const KeyAt& key : keys) found.push_back(key.index);
  return found;
}

TEST(CommandTable, FindsCommandsAndSubcommandsInAnyCase) {
  const CommandTable table = builtin();
  const std::vector<BytesView> get = {"GeT", "k"};
  ASSERT_NE(table.find(get), nullptr);
  EXPECT_EQ(table.find(get)->full_name, "get");
  const std::vector<BytesView> config = {"CONFIG", "Get", "*"};
  ASSERT_NE(table.find(config), nullptr);
  EXPECT_EQ(table.find(config)->full_name, "config|get");
}

TEST(CommandTable, TellsUnknownCommandsFromUnknownSubcommands) {
  const CommandTable table = builtin();
  const Command* container = nullptr;
  const std::vector<BytesView> unknown = {"nonesuch"};
  EXPECT_EQ(table.find(unknown, &container), nullptr);
  EXPECT_EQ(container, nullptr);
  const std::vector<BytesView> barred = {"config|get", "*"};
  EXPECT_EQ(table.find(barred, &container), nullptr);
  EXPECT_EQ(container, nullptr);
  const std::vector<BytesView> subcommand = {"config", "nonesuch"};
  EXPECT_EQ(table.find(subcommand, &container), nullptr);
  ASSERT_NE(container, nullptr);
  EXPECT_EQ(container->full_name, "config");
}

TEST(CommandTable, FindsKeysByTheirSpecifications) {
  const CommandTable table = builtin();
  using Places = std::vector<std::size_t>;
  EXPECT_EQ(places(table, {"get", "k"}), (Places{1}));
  EXPECT_EQ(places(table, {"mset", "a", "1", "b", "2"}), (Places{1, 3}));
  EXPECT_EQ(places(table, {"del", "a", "b", "c"}), (Places{1, 2, 3}));
  EXPECT_EQ(places(table, {"bitop", "and", "d", "a", "b"}), (Places{2, 3, 4}));
  EXPECT_EQ(places(table, {"lcs", "a", "b", "len"}), (Places{1, 2}));
  EXPECT_EQ(places(table, {"object", "encoding", "k"}), (Places{2}));
  EXPECT_EQ(places(table, {"ping"}), (Places{}));
}

TEST(CommandTable, HasWholeRowsOnly) {
  const CommandTable table = builtin();
  for (const Command* command : table.rows()) {
    SCOPED_TRACE(command->full_name);
    EXPECT_NE(command->spec.arity, 0);
    EXPECT_FALSE(command->spec.summary.empty());
    EXPECT_FALSE(command->spec.since.empty());
    EXPECT_EQ(command->spec.handler == nullptr,
              !command->subcommands.empty() && command->full_name != "command");
    const bool writes = (command->spec.flags & kWrite) != 0;
    EXPECT_FALSE(writes && (command->spec.flags & kReadonly) != 0);
    EXPECT_FALSE(writes && (command->spec.flags & kPastView) != 0);
  }
}

TEST(CommandTable, RefusesARowTwiceAndASubcommandWithoutContainer) {
  CommandTable table = builtin();
  EXPECT_FALSE(table.add(CommandSpec{.name = "GET", .arity = 2}).has_value());
  EXPECT_FALSE(table.add(CommandSpec{.name = "x", .parent = "nonesuch", .arity = 2}).has_value());
}

}  // namespace
}  // namespace strata::server
