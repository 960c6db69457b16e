// Rows of the bit commands.
#include "server/commands/bits.h"
#include "server/commands/commands.h"

namespace strata::server {
namespace {

constexpr KeySpec kGetbitKeys[] = {{.flags = kKeyRO | kKeyAccess}};

constexpr Argument kGetbitArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                         {.name = "offset", .type = ArgumentType::integer}};

constexpr KeySpec kSetbitKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate}};

constexpr Argument kSetbitArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                         {.name = "offset", .type = ArgumentType::integer},
                                         {.name = "value", .type = ArgumentType::integer}};

constexpr Argument kBitcountIndexIndexUnitArguments[] = {
    {.name = "byte", .type = ArgumentType::pure_token, .token = "BYTE"},
    {.name = "bit", .type = ArgumentType::pure_token, .token = "BIT"}};

constexpr Argument kBitcountIndexArguments[] = {{.name = "start", .type = ArgumentType::integer},
                                                {.name = "end", .type = ArgumentType::integer},
                                                {.name = "index_unit",
                                                 .type = ArgumentType::one_of,
                                                 .flags = kOptional,
                                                 .since = "7.0.0",
                                                 .children = kBitcountIndexIndexUnitArguments}};

constexpr Argument kBitcountArguments[] = {
    {.name = "key", .type = ArgumentType::key, .key_spec = 0},
    {.name = "index",
     .type = ArgumentType::block,
     .flags = kOptional,
     .children = kBitcountIndexArguments}};

constexpr Argument kBitposIndexEndIndexArguments[] = {
    {.name = "end", .type = ArgumentType::integer},
    {.name = "index_unit",
     .type = ArgumentType::one_of,
     .flags = kOptional,
     .since = "7.0.0",
     .children = kBitcountIndexIndexUnitArguments}};

constexpr Argument kBitposIndexArguments[] = {{.name = "start", .type = ArgumentType::integer},
                                              {.name = "end_index",
                                               .type = ArgumentType::block,
                                               .flags = kOptional,
                                               .children = kBitposIndexEndIndexArguments}};

constexpr Argument kBitposArguments[] = {{.name = "key", .type = ArgumentType::key, .key_spec = 0},
                                         {.name = "bit", .type = ArgumentType::integer},
                                         {.name = "index",
                                          .type = ArgumentType::block,
                                          .flags = kOptional,
                                          .children = kBitposIndexArguments}};

constexpr KeySpec kBitopKeys[] = {{.flags = kKeyOW | kKeyUpdate, .index = 2},
                                  {.flags = kKeyRO | kKeyAccess, .index = 3, .last = -1}};

constexpr Argument kBitopArguments[] = {
    {.name = "operation"},
    {.name = "destkey", .type = ArgumentType::key, .key_spec = 0},
    {.name = "key", .type = ArgumentType::key, .flags = kMultiple, .key_spec = 1}};

constexpr KeySpec kBitfieldKeys[] = {
    {.flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
     .notes = "This command allows both access and modification of the key"}};

constexpr Argument kBitfieldOperationEncodingOffsetArguments[] = {
    {.name = "encoding"}, {.name = "offset", .type = ArgumentType::integer}};

constexpr Argument kBitfieldOperationWriteWrapSatFailArguments[] = {
    {.name = "wrap", .type = ArgumentType::pure_token, .token = "WRAP"},
    {.name = "sat", .type = ArgumentType::pure_token, .token = "SAT"},
    {.name = "fail", .type = ArgumentType::pure_token, .token = "FAIL"}};

constexpr Argument kBitfieldOperationWriteWriteOperationEncodingOffsetValueArguments[] = {
    {.name = "encoding"},
    {.name = "offset", .type = ArgumentType::integer},
    {.name = "value", .type = ArgumentType::integer}};

constexpr Argument kBitfieldOperationWriteWriteOperationEncodingOffsetIncrementArguments[] = {
    {.name = "encoding"},
    {.name = "offset", .type = ArgumentType::integer},
    {.name = "increment", .type = ArgumentType::integer}};

constexpr Argument kBitfieldOperationWriteWriteOperationArguments[] = {
    {.name = "encoding_offset_value",
     .type = ArgumentType::block,
     .token = "SET",
     .children = kBitfieldOperationWriteWriteOperationEncodingOffsetValueArguments},
    {.name = "encoding_offset_increment",
     .type = ArgumentType::block,
     .token = "INCRBY",
     .children = kBitfieldOperationWriteWriteOperationEncodingOffsetIncrementArguments}};

constexpr Argument kBitfieldOperationWriteArguments[] = {
    {.name = "wrap_sat_fail",
     .type = ArgumentType::one_of,
     .token = "OVERFLOW",
     .flags = kOptional,
     .children = kBitfieldOperationWriteWrapSatFailArguments},
    {.name = "write_operation",
     .type = ArgumentType::one_of,
     .children = kBitfieldOperationWriteWriteOperationArguments}};

constexpr Argument kBitfieldOperationArguments[] = {
    {.name = "encoding_offset",
     .type = ArgumentType::block,
     .token = "GET",
     .children = kBitfieldOperationEncodingOffsetArguments},
    {.name = "write", .type = ArgumentType::block, .children = kBitfieldOperationWriteArguments}};

constexpr Argument kBitfieldArguments[] = {
    {.name = "key", .type = ArgumentType::key, .key_spec = 0},
    {.name = "operation",
     .type = ArgumentType::one_of,
     .flags = kOptional | kMultiple,
     .children = kBitfieldOperationArguments}};

constexpr Argument kBitfieldRoArguments[] = {
    {.name = "key", .type = ArgumentType::key, .key_spec = 0},
    {.name = "encoding_offset",
     .type = ArgumentType::block,
     .token = "GET",
     .flags = kOptional | kMultiple | kMultipleToken,
     .children = kBitfieldOperationEncodingOffsetArguments}};

constexpr CommandSpec kBitCommands[] = {
    {.name = "getbit",
     .arity = 3,
     .flags = kReadonly | kFast | kPastView,
     .categories = kBitmapCategory,
     .keys = kGetbitKeys,
     .handler = getbit_command,
     .group = "bitmap",
     .since = "2.2.0",
     .summary = "Gives one bit of a value",
     .complexity = "O(1)",
     .arguments = kGetbitArguments},
    {.name = "setbit",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .categories = kBitmapCategory,
     .keys = kSetbitKeys,
     .handler = setbit_command,
     .group = "bitmap",
     .since = "2.2.0",
     .summary = "Sets one bit of a value",
     .complexity = "O(1)",
     .arguments = kSetbitArguments},
    {.name = "bitcount",
     .arity = -2,
     .flags = kReadonly | kPastView,
     .categories = kBitmapCategory,
     .keys = kGetbitKeys,
     .handler = bitcount_command,
     .group = "bitmap",
     .since = "2.6.0",
     .summary = "Counts the bits that are set",
     .complexity = "O(N)",
     .arguments = kBitcountArguments},
    {.name = "bitpos",
     .arity = -3,
     .flags = kReadonly | kPastView,
     .categories = kBitmapCategory,
     .keys = kGetbitKeys,
     .handler = bitpos_command,
     .group = "bitmap",
     .since = "2.8.7",
     .summary = "Finds the first bit that is set or clear",
     .complexity = "O(N)",
     .arguments = kBitposArguments},
    {.name = "bitop",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .categories = kBitmapCategory,
     .keys = kBitopKeys,
     .handler = bitop_command,
     .group = "bitmap",
     .since = "2.6.0",
     .summary = "Combines values bit by bit",
     .complexity = "O(N)",
     .arguments = kBitopArguments},
    {.name = "bitfield",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .categories = kBitmapCategory,
     .keys = kBitfieldKeys,
     .find_keys = bitfield_keys,
     .handler = bitfield_command,
     .group = "bitmap",
     .since = "3.2.0",
     .summary = "Reads and writes integers of any width in a value",
     .complexity = "O(1)",
     .arguments = kBitfieldArguments},
    {.name = "bitfield_ro",
     .arity = -2,
     .flags = kReadonly | kFast | kPastView,
     .categories = kBitmapCategory,
     .keys = kGetbitKeys,
     .handler = bitfield_ro_command,
     .group = "bitmap",
     .since = "6.0.0",
     .summary = "Reads integers of any width in a value",
     .complexity = "O(1)",
     .arguments = kBitfieldRoArguments}};

}  // namespace

std::span<const CommandSpec> bit_commands() { return kBitCommands; }

}  // namespace strata::server
