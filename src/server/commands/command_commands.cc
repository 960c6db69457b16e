// COMMAND and its subcommands: the command table, told to clients.
#include <algorithm>
#include <climits>

#include "server/commands/help.h"
#include "server/commands/server_commands.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {
namespace {

struct Name {
  std::uint32_t bit;
  std::string_view text;
};

constexpr Name kFlagNames[] = {{kWrite, "write"},
                               {kReadonly, "readonly"},
                               {kDenyOom, "denyoom"},
                               {kAdmin, "admin"},
                               {kPubsub, "pubsub"},
                               {kNoScript, "noscript"},
                               {kBlocking, "blocking"},
                               {kLoading, "loading"},
                               {kStale, "stale"},
                               {kSkipMonitor, "skip_monitor"},
                               {kSkipSlowlog, "skip_slowlog"},
                               {kAsking, "asking"},
                               {kFast, "fast"},
                               {kNoAuth, "no_auth"},
                               {kMayReplicate, "may_replicate"},
                               {kNoMandatoryKeys, "no_mandatory_keys"},
                               {kNoAsyncLoading, "no_async_loading"},
                               {kNoMulti, "no_multi"},
                               {kMovableKeys, "movablekeys"},
                               {kAllowBusy, "allow_busy"},
                               {kTouchesArbitraryKeys, "touches_arbitrary_keys"}};

constexpr Name kCategoryNames[] = {{kKeyspaceCategory, "@keyspace"},
                                   {kReadCategory, "@read"},
                                   {kWriteCategory, "@write"},
                                   {kSetCategory, "@set"},
                                   {kSortedSetCategory, "@sortedset"},
                                   {kListCategory, "@list"},
                                   {kHashCategory, "@hash"},
                                   {kStringCategory, "@string"},
                                   {kBitmapCategory, "@bitmap"},
                                   {kHyperLogLogCategory, "@hyperloglog"},
                                   {kGeoCategory, "@geo"},
                                   {kStreamCategory, "@stream"},
                                   {kPubsubCategory, "@pubsub"},
                                   {kAdminCategory, "@admin"},
                                   {kFastCategory, "@fast"},
                                   {kSlowCategory, "@slow"},
                                   {kBlockingCategory, "@blocking"},
                                   {kDangerousCategory, "@dangerous"},
                                   {kConnectionCategory, "@connection"},
                                   {kTransactionCategory, "@transaction"},
                                   {kScriptingCategory, "@scripting"}};

constexpr Name kKeyFlagNames[] = {{kKeyRO, "RO"},
                                  {kKeyRW, "RW"},
                                  {kKeyOW, "OW"},
                                  {kKeyRM, "RM"},
                                  {kKeyAccess, "access"},
                                  {kKeyUpdate, "update"},
                                  {kKeyInsert, "insert"},
                                  {kKeyDelete, "delete"},
                                  {kKeyNotKey, "not_key"},
                                  {kKeyIncomplete, "incomplete"},
                                  {kKeyVariableFlags, "variable_flags"}};

void reply_names(Reply& reply, std::span<const Name> names, std::uint32_t bits) {
  std::size_t count = 0;
  for (const Name& name : names) count += (bits & name.bit) != 0 ? 1 : 0;
  reply.set(count);
  for (const Name& name : names) {
    if ((bits & name.bit) != 0) reply.simple(name.text);
  }
}

// The categories that a row names, and those that follow from its flags.
std::uint32_t categories_of(const CommandSpec& spec) {
  std::uint32_t categories = spec.categories;
  if ((spec.flags & kWrite) != 0) categories |= kWriteCategory;
  if ((spec.flags & kReadonly) != 0 && (spec.categories & kScriptingCategory) == 0) {
    categories |= kReadCategory;
  }
  if ((spec.flags & kAdmin) != 0) categories |= kAdminCategory | kDangerousCategory;
  if ((spec.flags & kPubsub) != 0) categories |= kPubsubCategory;
  if ((spec.flags & kBlocking) != 0) categories |= kBlockingCategory;
  return categories | ((spec.flags & kFast) != 0 ? kFastCategory : kSlowCategory);
}

// First key, last key and step, as COMMAND told them before key specifications came.
struct KeyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

KeyRange key_range_of(const CommandSpec& spec) {
  const auto plain = [](const KeySpec& key) {
    return key.begin == KeyBegin::index && key.find == KeyFind::range;
  };
  if (spec.keys.size() == 1 && plain(spec.keys[0])) {
    const KeySpec& key = spec.keys[0];
    return {key.index, key.last >= 0 ? key.index + key.last : key.last, key.step};
  }
  int first = INT_MAX;
  int last = 0;
  int previous = 0;
  for (const KeySpec& key : spec.keys) {
    if (!plain(key)) continue;
    if (key.step != 1 || (previous != 0 && previous != key.index - 1)) return {};
    first = std::min(first, key.index);
    const int end = key.last >= 0 ? key.index + key.last : key.last;
    if (static_cast<unsigned>(end) > static_cast<unsigned>(last)) last = end;
    previous = end;
  }
  return first == INT_MAX ? KeyRange{} : KeyRange{first, last, 1};
}

void text(Reply& reply, std::string_view bytes) { reply.bulk(BytesView(bytes)); }

void number(Reply& reply, std::string_view name, int value) {
  text(reply, name);
  reply.integer(value);
}

void reply_key_begin(Reply& reply, const KeySpec& key) {
  reply.map(2);
  text(reply, "type");
  if (key.begin == KeyBegin::index) {
    text(reply, "index");
    text(reply, "spec");
    reply.map(1);
    number(reply, "index", key.index);
  } else if (key.begin == KeyBegin::keyword) {
    text(reply, "keyword");
    text(reply, "spec");
    reply.map(2);
    text(reply, "keyword");
    text(reply, key.keyword);
    number(reply, "startfrom", key.index);
  } else {
    text(reply, "unknown");
    text(reply, "spec");
    reply.map(0);
  }
}

void reply_key_find(Reply& reply, const KeySpec& key) {
  reply.map(2);
  text(reply, "type");
  if (key.find == KeyFind::range) {
    text(reply, "range");
    text(reply, "spec");
    reply.map(3);
    number(reply, "lastkey", key.last);
    number(reply, "keystep", key.step);
    number(reply, "limit", key.limit);
  } else if (key.find == KeyFind::keynum) {
    text(reply, "keynum");
    text(reply, "spec");
    reply.map(3);
    number(reply, "keynumidx", key.keynum_index);
    number(reply, "firstkey", key.first_key);
    number(reply, "keystep", key.step);
  } else {
    text(reply, "unknown");
    text(reply, "spec");
    reply.map(0);
  }
}

void reply_key_specs(Reply& reply, std::span<const KeySpec> keys) {
  reply.set(keys.size());
  for (const KeySpec& key : keys) {
    reply.map(key.notes.empty() ? 3 : 4);
    if (!key.notes.empty()) {
      text(reply, "notes");
      text(reply, key.notes);
    }
    text(reply, "flags");
    reply_names(reply, kKeyFlagNames, key.flags);
    text(reply, "begin_search");
    reply_key_begin(reply, key);
    text(reply, "find_keys");
    reply_key_find(reply, key);
  }
}

void reply_info(Reply& reply, const Command& command) {
  const CommandSpec& spec = command.spec;
  const KeyRange range = key_range_of(spec);
  reply.array(10);
  text(reply, command.full_name);
  reply.integer(spec.arity);
  reply_names(reply, kFlagNames, spec.flags);
  reply.integer(range.first);
  reply.integer(range.last);
  reply.integer(range.step);
  reply_names(reply, kCategoryNames, categories_of(spec));
  reply.set(spec.tips.size());
  for (const std::string_view tip : spec.tips) text(reply, tip);
  reply_key_specs(reply, spec.keys);
  // Redis says none as an empty set, and some as an array.
  command.subcommands.empty() ? reply.set(0) : reply.array(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) reply_info(reply, *subcommand);
}

std::string_view type_name(ArgumentType type) {
  constexpr std::string_view kNames[] = {"string",    "integer",    "double", "key",  "pattern",
                                         "unix-time", "pure-token", "oneof",  "block"};
  return kNames[static_cast<std::size_t>(type)];
}

std::size_t true_ones(std::span<const bool> conditions) {
  return static_cast<std::size_t>(std::count(conditions.begin(), conditions.end(), true));
}

void reply_arguments(Reply& reply, std::span<const Argument> arguments) {
  constexpr Name kNames[] = {
      {kOptional, "optional"}, {kMultiple, "multiple"}, {kMultipleToken, "multiple_token"}};
  reply.array(arguments.size());
  for (const Argument& argument : arguments) {
    const bool parts[] = {argument.key_spec >= 0,  !argument.token.empty(),
                          !argument.since.empty(), !argument.deprecated_since.empty(),
                          argument.flags != 0,     !argument.children.empty()};
    reply.map(2 + true_ones(parts));
    const auto field = [&](std::string_view name, std::string_view value) {
      text(reply, name);
      text(reply, value);
    };
    field("name", argument.name);
    field("type", type_name(argument.type));
    if (parts[0]) number(reply, "key_spec_index", argument.key_spec);
    if (parts[1]) field("token", argument.token);
    if (parts[2]) field("since", argument.since);
    if (parts[3]) field("deprecated_since", argument.deprecated_since);
    if (parts[4]) {
      text(reply, "flags");
      reply_names(reply, kNames, argument.flags);
    }
    if (parts[5]) {
      text(reply, "arguments");
      reply_arguments(reply, argument.children);
    }
  }
}

void reply_docs(Reply& reply, const Command& command) {
  const CommandSpec& spec = command.spec;
  const bool deprecated = !spec.deprecated_since.empty();
  const bool optional[] = {!spec.complexity.empty(),
                           deprecated,
                           deprecated,
                           !spec.replaced_by.empty(),
                           !spec.history.empty(),
                           !spec.arguments.empty(),
                           !command.subcommands.empty()};
  reply.map(3 + true_ones(optional));
  const auto field = [&](std::string_view name, std::string_view value) {
    text(reply, name);
    text(reply, value);
  };
  field("summary", spec.summary);
  field("since", spec.since);
  field("group", spec.group);
  if (!spec.complexity.empty()) field("complexity", spec.complexity);
  if (deprecated) {
    text(reply, "doc_flags");
    reply.set(1);
    reply.simple("deprecated");
    field("deprecated_since", spec.deprecated_since);
  }
  if (!spec.replaced_by.empty()) field("replaced_by", spec.replaced_by);
  if (!spec.history.empty()) {
    text(reply, "history");
    reply.set(spec.history.size());
    for (const HistoryEntry& entry : spec.history) {
      reply.array(2);
      text(reply, entry.since);
      text(reply, entry.what);
    }
  }
  if (!spec.arguments.empty()) {
    text(reply, "arguments");
    reply_arguments(reply, spec.arguments);
  }
  if (command.subcommands.empty()) return;
  text(reply, "subcommands");
  reply.map(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) {
    text(reply, subcommand->full_name);
    reply_docs(reply, *subcommand);
  }
}

// The keys of the call in arguments[2] and behind it. Null: the reply is the error.
const Command* inner_keys(Call& call, std::vector<KeyAt>& keys) {
  const Arguments inner = call.arguments.subspan(2);
  const Command* command = call.session.instance.commands.find(inner);
  std::string_view error;
  if (command == nullptr) {
    error = "ERR Invalid command specified";
  } else if (command->spec.keys.empty() && command->spec.find_keys == nullptr) {
    error = "ERR The command has no key arguments";
  } else if (!command->arity_holds(inner.size())) {
    error = "ERR Invalid number of arguments specified for command";
  } else if (!command->keys(inner, keys)) {
    error = "ERR Invalid arguments specified for command";
  }
  if (error.empty()) return command;
  call.reply.error(error);
  return nullptr;
}

}  // namespace

Step command_command(Call& call) {
  const std::vector<Command*>& commands = call.session.instance.commands.commands();
  call.reply.array(commands.size());
  for (const Command* command : commands) reply_info(call.reply, *command);
  return Step::done;
}

Step command_count_command(Call& call) {
  call.reply.integer(static_cast<std::int64_t>(call.session.instance.commands.commands().size()));
  return Step::done;
}

Step command_info_command(Call& call) {
  if (call.count() == 2) return command_command(call);
  call.reply.array(call.count() - 2);
  for (std::size_t i = 2; i < call.count(); ++i) {
    const Command* command = call.session.instance.commands.find(call.argument(i));
    command == nullptr ? call.reply.null() : reply_info(call.reply, *command);
  }
  return Step::done;
}

Step command_docs_command(Call& call) {
  const CommandTable& table = call.session.instance.commands;
  std::vector<const Command*> wanted;
  if (call.count() == 2) wanted.assign(table.commands().begin(), table.commands().end());
  for (std::size_t i = 2; i < call.count(); ++i) {
    if (const Command* command = table.find(call.argument(i))) wanted.push_back(command);
  }
  call.reply.map(wanted.size());
  for (const Command* command : wanted) {
    text(call.reply, command->full_name);
    reply_docs(call.reply, *command);
  }
  return Step::done;
}

Step command_list_command(Call& call) {
  std::vector<const Command*> rows = call.session.instance.commands.rows();
  if (call.count() == 5 && is_word(call.argument(2), "filterby")) {
    const BytesView kind = call.argument(3);
    const BytesView filter = call.argument(4);
    if (is_word(kind, "module")) {
      rows.clear();
    } else if (is_word(kind, "aclcat")) {
      const std::string category = "@" + lower(filter);
      std::erase_if(rows, [&](const Command* row) {
        const std::uint32_t categories = categories_of(row->spec);
        return std::none_of(std::begin(kCategoryNames), std::end(kCategoryNames),
                            [&](const Name& name) {
                              return name.text == category && (categories & name.bit) != 0;
                            });
      });
    } else if (is_word(kind, "pattern")) {
      std::erase_if(rows,
                    [&](const Command* row) { return !matches(filter, row->full_name, true); });
    } else {
      return call.error(kSyntaxError);
    }
  } else if (call.count() != 2) {
    return call.error(kSyntaxError);
  }
  call.reply.array(rows.size());
  for (const Command* row : rows) text(call.reply, row->full_name);
  return Step::done;
}

Step command_getkeys_command(Call& call) {
  std::vector<KeyAt> keys;
  if (inner_keys(call, keys) == nullptr) return Step::done;
  call.reply.array(keys.size());
  for (const KeyAt& key : keys) call.reply.bulk(call.argument(key.index + 2));
  return Step::done;
}

Step command_getkeysandflags_command(Call& call) {
  std::vector<KeyAt> keys;
  if (inner_keys(call, keys) == nullptr) return Step::done;
  call.reply.array(keys.size());
  for (const KeyAt& key : keys) {
    call.reply.array(2);
    call.reply.bulk(call.argument(key.index + 2));
    reply_names(call.reply, kKeyFlagNames, key.flags);
  }
  return Step::done;
}

Step command_help_command(Call& call) {
  return help(call, {"(no subcommand)", "    Tell all commands in detail.", "COUNT",
                     "    Tell how many commands there are.",
                     "LIST [FILTERBY (MODULE|ACLCAT|PATTERN) <value>]", "    Tell their names.",
                     "INFO [<command> ...]", "    Tell some or all commands in detail.",
                     "DOCS [<command> ...]", "    Describe some or all commands.",
                     "GETKEYS <command> [<arg> ...]", "    Find the keys in a call.",
                     "GETKEYSANDFLAGS <command> [<arg> ...]",
                     "    Find the keys in a call and what is done with them."});
}

}  // namespace strata::server
