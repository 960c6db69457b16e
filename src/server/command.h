// CommandSpec: one row of the command table. Everything the server knows of a command stands in
// its row: dispatch, arity, keys, COMMAND's replies, access classes; nothing is said elsewhere.
//
// To add a command: a row and a handler in src/server/commands/. Nothing else changes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "server/reply.h"
#include "server/session.h"
#include "server/step.h"
#include "server/view.h"
#include "strata/batch.h"

namespace strata::server {

/// The arguments of one call; arguments[0] is the command's name as the client wrote it. Of a
/// subcommand arguments[1] is its name. Valid until the reply is complete.
using Arguments = std::span<const BytesView>;

/// All that a handler sees. It may be run several times before its reply leaves: a run has no
/// effect but on batch and reply (and, of commands with kAdmin effects, on session and instance,
/// after its last read). So it reads all it needs before it writes the first byte of its reply.
struct Call {
  Session& session;
  Arguments arguments;
  View& view;
  WriteBatch& batch;
  Reply& reply;
  /// Set when a handler returns Step::wait to be run again at this wall time at the latest; 0: no.
  std::int64_t wait_until_ms = 0;
  /// When the first run began, so that a handler can tell how long it has waited.
  std::int64_t started_ms = 0;

  BytesView argument(std::size_t index) const { return arguments[index]; }
  std::size_t count() const { return arguments.size(); }
  KeyRef key(std::size_t index) const { return {view.space(), arguments[index]}; }
  Step done() const { return Step::done; }
  Step error(std::string_view text) {
    reply.error(text);
    return Step::done;
  }
};

using Handler = Step (*)(Call& call);

/// Redis's command flags, by its names (COMMAND INFO prints them).
enum Flag : std::uint32_t {
  kWrite = 1u << 0,
  kReadonly = 1u << 1,
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubsub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,
  kLoading = 1u << 7,
  kStale = 1u << 8,
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kFast = 1u << 11,
  kNoAuth = 1u << 12,
  kMayReplicate = 1u << 13,
  kNoMulti = 1u << 14,
  kMovableKeys = 1u << 15,
  kAllowBusy = 1u << 16,
  kNoMandatoryKeys = 1u << 17,
  kTouchesArbitraryKeys = 1u << 18,
  kAsking = 1u << 19,
  kNoAsyncLoading = 1u << 20,
  // Ours; not printed.
  kExclusive = 1u << 28,  ///< runs alone: it changes which keyspace a database is
  kPastView = 1u << 29,   ///< may read a snapshot or the past
  kUnseen = 1u << 30,     ///< MONITOR does not show it
};

/// Redis's ACL categories, without those that follow from the flags.
enum Category : std::uint32_t {
  kKeyspaceCategory = 1u << 0,
  kReadCategory = 1u << 1,
  kWriteCategory = 1u << 2,
  kSetCategory = 1u << 3,
  kSortedSetCategory = 1u << 4,
  kListCategory = 1u << 5,
  kHashCategory = 1u << 6,
  kStringCategory = 1u << 7,
  kBitmapCategory = 1u << 8,
  kHyperLogLogCategory = 1u << 9,
  kGeoCategory = 1u << 10,
  kStreamCategory = 1u << 11,
  kPubsubCategory = 1u << 12,
  kAdminCategory = 1u << 13,
  kFastCategory = 1u << 14,
  kSlowCategory = 1u << 15,
  kBlockingCategory = 1u << 16,
  kDangerousCategory = 1u << 17,
  kConnectionCategory = 1u << 18,
  kTransactionCategory = 1u << 19,
  kScriptingCategory = 1u << 20,
};

/// Redis's key specification: where keys begin, how many follow, what is done with them.
enum KeyFlag : std::uint16_t {
  kKeyRO = 1u << 0,
  kKeyRW = 1u << 1,
  kKeyOW = 1u << 2,  ///< overwritten without being looked at
  kKeyRM = 1u << 3,
  kKeyAccess = 1u << 4,
  kKeyUpdate = 1u << 5,
  kKeyInsert = 1u << 6,
  kKeyDelete = 1u << 7,
  kKeyNotKey = 1u << 8,
  kKeyIncomplete = 1u << 9,
  kKeyVariableFlags = 1u << 10,
};
enum class KeyBegin : std::uint8_t { index, keyword, unknown };
enum class KeyFind : std::uint8_t { range, keynum, unknown };

struct KeySpec {
  std::uint16_t flags = 0;
  KeyBegin begin = KeyBegin::index;
  int index = 1;               ///< of begin by index; of keyword: where the search starts
  std::string_view keyword{};  ///< of begin by keyword
  KeyFind find = KeyFind::range;
  int last = 0;   ///< of range: relative to the first; -1: the last argument; -2: the last but one
  int step = 1;   ///< of both: distance of two keys
  int limit = 0;  ///< of range with last < 0: 1/limit of what is left
  int keynum_index = 0;  ///< of keynum: where the number stands, relative to begin
  int first_key = 0;     ///< of keynum: where the first key stands, relative to begin
  std::string_view notes{};
};

enum class ArgumentType : std::uint8_t {
  string,
  integer,
  real,
  key,
  pattern,
  unix_time,
  pure_token,
  one_of,
  block
};
enum ArgumentFlag : std::uint8_t { kOptional = 1, kMultiple = 2, kMultipleToken = 4 };

/// A node of the argument tree that COMMAND DOCS shows.
struct Argument {
  std::string_view name;
  ArgumentType type = ArgumentType::string;
  std::string_view token{};
  std::uint8_t flags = 0;
  std::string_view since{};
  int key_spec = -1;  ///< of a key: index of its KeySpec
  std::span<const Argument> children{};
  std::string_view deprecated_since{};
  /// What COMMAND DOCS shows in place of the name; empty: the name.
  std::string_view display{};
};

struct HistoryEntry {
  std::string_view since;
  std::string_view what;
};

struct KeyAt {
  std::size_t index;    ///< in the arguments
  std::uint16_t flags;  ///< KeyFlag
};
/// Finds keys where positions vary. False: the arguments are not such that there can be keys.
using KeysFunction = bool (*)(Arguments arguments, std::vector<KeyAt>& keys);

struct CommandSpec {
  std::string_view name;      ///< lower case; of a subcommand its own name: "get"
  std::string_view parent{};  ///< of a subcommand its container: "config"
  int arity = 0;              ///< with the name(s); negative: at least
  std::uint32_t flags = 0;
  std::uint32_t categories = 0;
  std::span<const KeySpec> keys{};
  KeysFunction find_keys = nullptr;
  Handler handler = nullptr;  ///< null: a container
  std::string_view group = "generic";
  std::string_view since = "1.0.0";
  std::string_view summary{};
  std::string_view complexity{};
  std::span<const Argument> arguments{};
  std::span<const HistoryEntry> history{};
  std::span<const std::string_view> tips{};
  std::string_view deprecated_since{};
  std::string_view replaced_by{};
};

}  // namespace strata::server
