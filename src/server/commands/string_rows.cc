// Rows of the string commands.
#include "server/commands/commands.h"
#include "server/commands/strings.h"

namespace strata::server {
namespace {

constexpr KeySpec kGetKeys[] = {{.flags = kKeyRO | kKeyAccess}};

constexpr Argument kGetArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0}};

constexpr KeySpec kSetKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
                                 .notes = "RW and ACCESS due to the optional `GET` argument"}};

constexpr Argument kSetConditionArguments[] = {
    {.name = "nx", .type = ArgumentType::pure_token, .token = "NX"},
    {.name = "xx", .type = ArgumentType::pure_token, .token = "XX"}};

constexpr Argument kSetExpirationArguments[] = {
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

constexpr Argument kSetArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                      {.name = "value"},
                                      {.name = "condition",
                                       .type = ArgumentType::one_of,
                                       .flags = kOptional,
                                       .since = "2.6.12",
                                       .children = kSetConditionArguments},
                                      {.name = "get",
                                       .type = ArgumentType::pure_token,
                                       .token = "GET",
                                       .flags = kOptional,
                                       .since = "6.2.0"},
                                      {.name = "expiration",
                                       .type = ArgumentType::one_of,
                                       .flags = kOptional,
                                       .children = kSetExpirationArguments}};

constexpr KeySpec kGetdelKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete}};

constexpr KeySpec kGetexKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate,
                                   .notes = "RW and UPDATE because it changes the TTL"}};

constexpr Argument kGetexExpirationArguments[] = {
    {.name = "seconds", .type = ArgumentType::integer, .token = "EX"},
    {.name = "milliseconds", .type = ArgumentType::integer, .token = "PX"},
    {.name = "unix-time-seconds", .type = ArgumentType::unix_time, .token = "EXAT"},
    {.name = "unix-time-milliseconds", .type = ArgumentType::unix_time, .token = "PXAT"},
    {.name = "persist", .type = ArgumentType::pure_token, .token = "PERSIST"}};

constexpr Argument kGetexArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                        {.name = "expiration",
                                         .type = ArgumentType::one_of,
                                         .flags = kOptional,
                                         .children = kGetexExpirationArguments}};

constexpr Argument kGetrangeArguments[] = {
    {.name = "key", .type = ArgumentType::key, .key_spec = 0},
    {.name = "start", .type = ArgumentType::integer},
    {.name = "end", .type = ArgumentType::integer}};

constexpr KeySpec kSetrangeKeys[] = {{.flags = kKeyRW | kKeyUpdate}};

constexpr Argument kSetrangeArguments[] = {
    {.name = "key", .type = ArgumentType::key, .key_spec = 0},
    {.name = "offset", .type = ArgumentType::integer},
    {.name = "value"}};

constexpr KeySpec kStrlenKeys[] = {{.flags = kKeyRO}};

constexpr KeySpec kAppendKeys[] = {{.flags = kKeyRW | kKeyInsert}};

constexpr Argument kAppendArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                         {.name = "value"}};

constexpr KeySpec kMgetKeys[] = {{.flags = kKeyRO | kKeyAccess, .last = -1}};

constexpr Argument kMgetArguments[] = {
    {.name = "key", .type = ArgumentType::key, .flags = kMultiple, .key_spec = 0}};

constexpr std::string_view kMgetTips[] = {"request_policy:multi_shard"};

constexpr KeySpec kMsetKeys[] = {{.flags = kKeyOW | kKeyUpdate, .last = -1, .step = 2}};

constexpr Argument kMsetArguments[] = {{.name = "key_value",
                                        .type = ArgumentType::block,
                                        .flags = kMultiple,
                                        .children = kAppendArguments}};

constexpr std::string_view kMsetTips[] = {"request_policy:multi_shard",
                                          "response_policy:all_succeeded"};

constexpr KeySpec kMsetnxKeys[] = {{.flags = kKeyOW | kKeyInsert, .last = -1, .step = 2}};

constexpr std::string_view kMsetnxTips[] = {"request_policy:multi_shard",
                                            "response_policy:agg_min"};

constexpr KeySpec kSetnxKeys[] = {{.flags = kKeyOW | kKeyInsert}};

constexpr KeySpec kSetexKeys[] = {{.flags = kKeyOW | kKeyUpdate}};

constexpr Argument kSetexArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                        {.name = "seconds", .type = ArgumentType::integer},
                                        {.name = "value"}};

constexpr Argument kPsetexArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                         {.name = "milliseconds", .type = ArgumentType::integer},
                                         {.name = "value"}};

constexpr KeySpec kGetsetKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate}};

constexpr Argument kIncrbyArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                         {.name = "increment", .type = ArgumentType::integer}};

constexpr Argument kDecrbyArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                         {.name = "decrement", .type = ArgumentType::integer}};

constexpr Argument kIncrbyfloatArguments[] = {
    {.name = "key", .type = ArgumentType::key, .key_spec = 0},
    {.name = "increment", .type = ArgumentType::real}};

constexpr KeySpec kLcsKeys[] = {{.flags = kKeyRO | kKeyAccess, .last = 1}};

constexpr Argument kLcsArguments[] = {
    {.name = "key1", .type = ArgumentType::key, .key_spec = 0},
    {.name = "key2", .type = ArgumentType::key, .key_spec = 0},
    {.name = "len", .type = ArgumentType::pure_token, .token = "LEN", .flags = kOptional},
    {.name = "idx", .type = ArgumentType::pure_token, .token = "IDX", .flags = kOptional},
    {.name = "len", .type = ArgumentType::integer, .token = "MINMATCHLEN", .flags = kOptional},
    {.name = "withmatchlen",
     .type = ArgumentType::pure_token,
     .token = "WITHMATCHLEN",
     .flags = kOptional}};

constexpr CommandSpec kStringCommands[] = {
    {.name = "get",
     .arity = 2,
     .flags = kReadonly | kFast | kPastView,
     .categories = kStringCategory,
     .keys = kGetKeys,
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
     .find_keys = set_keys,
     .handler = set_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Sets the value of a key, whatever it held",
     .complexity = "O(1)",
     .arguments = kSetArguments},
    {.name = "getdel",
     .arity = 2,
     .flags = kWrite | kFast,
     .categories = kStringCategory,
     .keys = kGetdelKeys,
     .handler = getdel_command,
     .group = "string",
     .since = "6.2.0",
     .summary = "Gives the value of a key and deletes it",
     .complexity = "O(1)",
     .arguments = kGetArguments},
    {.name = "getex",
     .arity = -2,
     .flags = kWrite | kFast,
     .categories = kStringCategory,
     .keys = kGetexKeys,
     .handler = getex_command,
     .group = "string",
     .since = "6.2.0",
     .summary = "Gives the value of a key and changes its expiry",
     .complexity = "O(1)",
     .arguments = kGetexArguments},
    {.name = "getrange",
     .arity = 4,
     .flags = kReadonly | kPastView,
     .categories = kStringCategory,
     .keys = kGetKeys,
     .handler = getrange_command,
     .group = "string",
     .since = "2.4.0",
     .summary = "Gives a part of a value",
     .complexity = "O(N)",
     .arguments = kGetrangeArguments},
    {.name = "substr",
     .arity = 4,
     .flags = kReadonly | kPastView,
     .categories = kStringCategory,
     .keys = kGetKeys,
     .handler = substr_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Gives a part of a value, under an old name",
     .complexity = "O(N)",
     .arguments = kGetrangeArguments,
     .deprecated_since = "2.0.0",
     .replaced_by = "`GETRANGE`"},
    {.name = "setrange",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .categories = kStringCategory,
     .keys = kSetrangeKeys,
     .handler = setrange_command,
     .group = "string",
     .since = "2.2.0",
     .summary = "Overwrites a part of a value",
     .complexity = "O(1),",
     .arguments = kSetrangeArguments},
    {.name = "strlen",
     .arity = 2,
     .flags = kReadonly | kFast | kPastView,
     .categories = kStringCategory,
     .keys = kStrlenKeys,
     .handler = strlen_command,
     .group = "string",
     .since = "2.2.0",
     .summary = "Gives the length of a value",
     .complexity = "O(1)",
     .arguments = kGetArguments},
    {.name = "append",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kAppendKeys,
     .handler = append_command,
     .group = "string",
     .since = "2.0.0",
     .summary = "Adds bytes at the end of a value",
     .complexity = "O(1)",
     .arguments = kAppendArguments},
    {.name = "mget",
     .arity = -2,
     .flags = kReadonly | kFast | kPastView,
     .categories = kStringCategory,
     .keys = kMgetKeys,
     .handler = mget_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Gives the values of several keys as one view",
     .complexity = "O(N)",
     .arguments = kMgetArguments,
     .tips = kMgetTips},
    {.name = "mset",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .categories = kStringCategory,
     .keys = kMsetKeys,
     .handler = mset_command,
     .group = "string",
     .since = "1.0.1",
     .summary = "Sets several keys as one",
     .complexity = "O(N)",
     .arguments = kMsetArguments,
     .tips = kMsetTips},
    {.name = "msetnx",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .categories = kStringCategory,
     .keys = kMsetnxKeys,
     .handler = msetnx_command,
     .group = "string",
     .since = "1.0.1",
     .summary = "Sets several keys as one, if none of them exists",
     .complexity = "O(N)",
     .arguments = kMsetArguments,
     .tips = kMsetnxTips},
    {.name = "setnx",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kSetnxKeys,
     .handler = setnx_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Sets a key that does not exist",
     .complexity = "O(1)",
     .arguments = kAppendArguments},
    {.name = "setex",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .categories = kStringCategory,
     .keys = kSetexKeys,
     .handler = setex_command,
     .group = "string",
     .since = "2.0.0",
     .summary = "Sets a value and its expiry in seconds",
     .complexity = "O(1)",
     .arguments = kSetexArguments},
    {.name = "psetex",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .categories = kStringCategory,
     .keys = kSetexKeys,
     .handler = psetex_command,
     .group = "string",
     .since = "2.6.0",
     .summary = "Sets a value and its expiry in milliseconds",
     .complexity = "O(1)",
     .arguments = kPsetexArguments},
    {.name = "getset",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kGetsetKeys,
     .handler = getset_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Sets a value and gives the old one",
     .complexity = "O(1)",
     .arguments = kAppendArguments,
     .deprecated_since = "6.2.0",
     .replaced_by = "`SET` with the `!GET` argument"},
    {.name = "incr",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kGetsetKeys,
     .handler = incr_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Adds one to a number",
     .complexity = "O(1)",
     .arguments = kGetArguments},
    {.name = "decr",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kGetsetKeys,
     .handler = decr_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Takes one from a number",
     .complexity = "O(1)",
     .arguments = kGetArguments},
    {.name = "incrby",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kGetsetKeys,
     .handler = incrby_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Adds to a number",
     .complexity = "O(1)",
     .arguments = kIncrbyArguments},
    {.name = "decrby",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kGetsetKeys,
     .handler = decrby_command,
     .group = "string",
     .since = "1.0.0",
     .summary = "Takes from a number",
     .complexity = "O(1)",
     .arguments = kDecrbyArguments},
    {.name = "incrbyfloat",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kStringCategory,
     .keys = kGetsetKeys,
     .handler = incrbyfloat_command,
     .group = "string",
     .since = "2.6.0",
     .summary = "Adds to a number with a fraction",
     .complexity = "O(1)",
     .arguments = kIncrbyfloatArguments},
    {.name = "lcs",
     .arity = -3,
     .flags = kReadonly | kPastView,
     .categories = kStringCategory,
     .keys = kLcsKeys,
     .handler = lcs_command,
     .group = "string",
     .since = "7.0.0",
     .summary = "Finds the longest common subsequence of two values",
     .complexity = "O(N*M)",
     .arguments = kLcsArguments}};

}  // namespace

std::span<const CommandSpec> string_commands() { return kStringCommands; }

}  // namespace strata::server
