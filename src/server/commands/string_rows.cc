// Rows of the string commands.
#include "server/commands/commands.h"
#include "server/commands/strings.h"

namespace strata::server {
namespace {

constexpr KeySpec kReadOneKey[] = {{.flags = kKeyRO | kKeyAccess}};

constexpr Argument kGetArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0}};

constexpr KeySpec kSetKeys[] = {
    {.flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
     .notes = "RW and ACCESS due to the optional `GET` argument"}};
constexpr Argument kSetConditions[] = {
    {.name = "nx", .type = ArgumentType::pure_token, .token = "NX"},
    {.name = "xx", .type = ArgumentType::pure_token, .token = "XX"}};
constexpr Argument kSetExpirations[] = {
    {.name = "seconds", .type = ArgumentType::integer, .token = "EX", .since = "2.6.12"},
    {.name = "milliseconds", .type = ArgumentType::integer, .token = "PX", .since = "2.6.12"},
    {.name = "unix-time-seconds",
     .type = ArgumentType::unix_time,
     .token = "EXAT",
     .since = "6.2.0"},
    {.name = "unix-time-milliseconds",
     .type = ArgumentType::unix_time,
     .token = "PXAT",
     .since = "6.2.0"},
    {.name = "keepttl", .type = ArgumentType::pure_token, .token = "KEEPTTL", .since = "6.0.0"}};
constexpr Argument kSetArguments[] = {
    {.name = "key", .type = ArgumentType::key, .key_spec = 0},
    {.name = "value"},
    {.name = "condition",
     .type = ArgumentType::one_of,
     .flags = kOptional,
     .since = "2.6.12",
     .children = kSetConditions},
    {.name = "get",
     .type = ArgumentType::pure_token,
     .token = "GET",
     .flags = kOptional,
     .since = "6.2.0"},
    {.name = "expiration",
     .type = ArgumentType::one_of,
     .flags = kOptional,
     .children = kSetExpirations}};

constexpr CommandSpec kStringCommands[] = {
    {.name = "get",
     .arity = 2,
     .flags = kReadonly | kFast | kPastView,
     .categories = kStringCategory,
     .keys = kReadOneKey,
     .handler = get_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Gives the value of a key",
     .complexity = "O(1)",
     .arguments = kGetArguments},
    {.name = "set",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .categories = kStringCategory,
     .keys = kSetKeys,
     .handler = set_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Sets the value of a key",
     .complexity = "O(1)",
     .arguments = kSetArguments},
};

}  // namespace

std::span<const CommandSpec> string_commands() { return kStringCommands; }

}  // namespace strata::server
