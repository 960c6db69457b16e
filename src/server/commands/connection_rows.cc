// Rows of the connection commands.
#include "server/commands/commands.h"
#include "server/commands/connection_commands.h"

namespace strata::server {
namespace {

constexpr Argument kPingArguments[] = {{.name = "message", .flags = kOptional}};

constexpr std::string_view kPingTips[] = {"request_policy:all_shards",
                                          "response_policy:all_succeeded"};

constexpr Argument kEchoArguments[] = {{.name = "message"}};

constexpr Argument kHelloArgumentsUsernamePasswordArguments[] = {{.name = "username"},
                                                                 {.name = "password"}};

constexpr Argument kHelloArgumentsArguments[] = {
    {.name = "protover", .type = ArgumentType::integer},
    {.name = "username_password",
     .type = ArgumentType::block,
     .token = "AUTH",
     .flags = kOptional,
     .children = kHelloArgumentsUsernamePasswordArguments},
    {.name = "clientname", .token = "SETNAME", .flags = kOptional}};

constexpr Argument kHelloArguments[] = {{.name = "arguments",
                                         .type = ArgumentType::block,
                                         .flags = kOptional,
                                         .children = kHelloArgumentsArguments}};

constexpr Argument kAuthArguments[] = {{.name = "username", .flags = kOptional, .since = "6.0.0"},
                                       {.name = "password"}};

constexpr Argument kSelectArguments[] = {{.name = "index", .type = ArgumentType::integer}};

constexpr std::string_view kClientInfoTips[] = {"nondeterministic_output"};

constexpr Argument kClientKillFilterNewFormatNormalMasterSlavePubsubArguments[] = {
    {.name = "normal", .type = ArgumentType::pure_token, .token = "NORMAL"},
    {.name = "master", .type = ArgumentType::pure_token, .token = "MASTER", .since = "3.2.0"},
    {.name = "slave", .type = ArgumentType::pure_token, .token = "SLAVE"},
    {.name = "replica", .type = ArgumentType::pure_token, .token = "REPLICA", .since = "5.0.0"},
    {.name = "pubsub", .type = ArgumentType::pure_token, .token = "PUBSUB"}};

constexpr Argument kClientKillFilterNewFormatArguments[] = {
    {.name = "client-id",
     .type = ArgumentType::integer,
     .token = "ID",
     .flags = kOptional,
     .since = "2.8.12"},
    {.name = "normal_master_slave_pubsub",
     .type = ArgumentType::one_of,
     .token = "TYPE",
     .flags = kOptional,
     .since = "2.8.12",
     .children = kClientKillFilterNewFormatNormalMasterSlavePubsubArguments},
    {.name = "username", .token = "USER", .flags = kOptional},
    {.name = "ip:port", .token = "ADDR", .flags = kOptional},
    {.name = "ip:port", .token = "LADDR", .flags = kOptional, .since = "6.2.0"},
    {.name = "yes/no", .token = "SKIPME", .flags = kOptional}};

constexpr Argument kClientKillFilterArguments[] = {
    {.name = "ip:port", .deprecated_since = "2.8.12"},
    {.name = "new-format",
     .type = ArgumentType::one_of,
     .flags = kMultiple,
     .children = kClientKillFilterNewFormatArguments}};

constexpr Argument kClientKillArguments[] = {
    {.name = "filter", .type = ArgumentType::one_of, .children = kClientKillFilterArguments}};

constexpr Argument kClientListNormalMasterReplicaPubsubArguments[] = {
    {.name = "normal", .type = ArgumentType::pure_token, .token = "NORMAL"},
    {.name = "master", .type = ArgumentType::pure_token, .token = "MASTER"},
    {.name = "replica", .type = ArgumentType::pure_token, .token = "REPLICA"},
    {.name = "pubsub", .type = ArgumentType::pure_token, .token = "PUBSUB"}};

constexpr Argument kClientListIdArguments[] = {
    {.name = "client-id", .type = ArgumentType::integer, .flags = kMultiple}};

constexpr Argument kClientListArguments[] = {
    {.name = "normal_master_replica_pubsub",
     .type = ArgumentType::one_of,
     .token = "TYPE",
     .flags = kOptional,
     .since = "5.0.0",
     .children = kClientListNormalMasterReplicaPubsubArguments},
    {.name = "id",
     .type = ArgumentType::block,
     .token = "ID",
     .flags = kOptional,
     .since = "6.2.0",
     .children = kClientListIdArguments}};

constexpr Argument kClientNoEvictEnabledArguments[] = {
    {.name = "on", .type = ArgumentType::pure_token, .token = "ON"},
    {.name = "off", .type = ArgumentType::pure_token, .token = "OFF"}};

constexpr Argument kClientNoEvictArguments[] = {
    {.name = "enabled", .type = ArgumentType::one_of, .children = kClientNoEvictEnabledArguments}};

constexpr Argument kClientReplyOnOffSkipArguments[] = {
    {.name = "on", .type = ArgumentType::pure_token, .token = "ON"},
    {.name = "off", .type = ArgumentType::pure_token, .token = "OFF"},
    {.name = "skip", .type = ArgumentType::pure_token, .token = "SKIP"}};

constexpr Argument kClientReplyArguments[] = {{.name = "on_off_skip",
                                               .type = ArgumentType::one_of,
                                               .children = kClientReplyOnOffSkipArguments}};

constexpr Argument kClientSetnameArguments[] = {{.name = "connection-name"}};

constexpr Argument kClientSetinfoAttrArguments[] = {{.name = "libname", .token = "LIB-NAME"},
                                                    {.name = "libver", .token = "LIB-VER"}};

constexpr Argument kClientSetinfoArguments[] = {
    {.name = "attr", .type = ArgumentType::one_of, .children = kClientSetinfoAttrArguments}};

constexpr CommandSpec kConnectionCommands[] = {
    {.name = "ping",
     .arity = -1,
     .flags = kFast,
     .categories = kConnectionCategory,
     .handler = ping_command,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Answers, to show that the server is there",
     .complexity = "O(1)",
     .arguments = kPingArguments,
     .tips = kPingTips},
    {.name = "echo",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .categories = kConnectionCategory,
     .handler = echo_command,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Gives back what it was given",
     .complexity = "O(1)",
     .arguments = kEchoArguments},
    {.name = "hello",
     .arity = -1,
     .flags = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy,
     .categories = kConnectionCategory,
     .handler = hello_command,
     .group = "connection",
     .since = "6.0.0",
     .summary = "Chooses the protocol and tells of the server",
     .complexity = "O(1)",
     .arguments = kHelloArguments},
    {.name = "auth",
     .arity = -2,
     .flags = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy,
     .categories = kConnectionCategory,
     .handler = auth_command,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Proves who the client is",
     .complexity = "O(N)",
     .arguments = kAuthArguments},
    {.name = "quit",
     .arity = -1,
     .flags = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kUnseen,
     .categories = kConnectionCategory,
     .handler = quit_command,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Closes the connection",
     .complexity = "O(1)"},
    {.name = "select",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .categories = kConnectionCategory,
     .handler = select_command,
     .group = "connection",
     .since = "1.0.0",
     .summary = "Changes the database of the connection",
     .complexity = "O(1)",
     .arguments = kSelectArguments},
    {.name = "reset",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy,
     .categories = kConnectionCategory,
     .handler = reset_command,
     .group = "connection",
     .since = "6.2.0",
     .summary = "Makes the connection as new",
     .complexity = "O(1)"},
    {.name = "client",
     .arity = -2,
     .group = "connection",
     .since = "2.4.0",
     .summary = "What concerns connections"},
    {.name = "getname",
     .parent = "client",
     .arity = 2,
     .flags = kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_getname_command,
     .group = "connection",
     .since = "2.6.9",
     .summary = "Tells the name of the connection",
     .complexity = "O(1)"},
    {.name = "help",
     .parent = "client",
     .arity = 2,
     .flags = kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_help_command,
     .group = "connection",
     .since = "5.0.0",
     .summary = "Lists the subcommands",
     .complexity = "O(1)"},
    {.name = "id",
     .parent = "client",
     .arity = 2,
     .flags = kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_id_command,
     .group = "connection",
     .since = "5.0.0",
     .summary = "Tells the number of the connection",
     .complexity = "O(1)"},
    {.name = "info",
     .parent = "client",
     .arity = 2,
     .flags = kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_info_command,
     .group = "connection",
     .since = "6.2.0",
     .summary = "Tells what is known of this",
     .complexity = "O(1)",
     .tips = kClientInfoTips},
    {.name = "kill",
     .parent = "client",
     .arity = -3,
     .flags = kAdmin | kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_kill_command,
     .group = "connection",
     .since = "2.4.0",
     .summary = "Closes connections",
     .complexity = "O(N)",
     .arguments = kClientKillArguments},
    {.name = "list",
     .parent = "client",
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_list_command,
     .group = "connection",
     .since = "2.4.0",
     .summary = "Lists what there is",
     .complexity = "O(N)",
     .arguments = kClientListArguments,
     .tips = kClientInfoTips},
    {.name = "no-evict",
     .parent = "client",
     .arity = 3,
     .flags = kAdmin | kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_no_evict_command,
     .group = "connection",
     .since = "7.0.0",
     .summary = "Keeps the connection from being closed for memory",
     .complexity = "O(1)",
     .arguments = kClientNoEvictArguments},
    {.name = "reply",
     .parent = "client",
     .arity = 3,
     .flags = kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_reply_command,
     .group = "connection",
     .since = "3.2.0",
     .summary = "Chooses whether commands are answered",
     .complexity = "O(1)",
     .arguments = kClientReplyArguments},
    {.name = "setname",
     .parent = "client",
     .arity = 3,
     .flags = kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_setname_command,
     .group = "connection",
     .since = "2.6.9",
     .summary = "Names the connection",
     .complexity = "O(1)",
     .arguments = kClientSetnameArguments},
    {.name = "setinfo",
     .parent = "client",
     .arity = 4,
     .flags = kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_setinfo_command,
     .group = "connection",
     .since = "7.2.0",
     .summary = "Tells the name and version of the client library",
     .complexity = "O(1)",
     .arguments = kClientSetinfoArguments},
    {.name = "no-touch",
     .parent = "client",
     .arity = 3,
     .flags = kNoScript | kLoading | kStale,
     .categories = kConnectionCategory,
     .handler = client_no_touch_command,
     .group = "connection",
     .since = "7.2.0",
     .summary = "Lets commands of the connection leave access times alone",
     .complexity = "O(1)",
     .arguments = kClientNoEvictArguments}};

}  // namespace

std::span<const CommandSpec> connection_commands() { return kConnectionCommands; }

}  // namespace strata::server
