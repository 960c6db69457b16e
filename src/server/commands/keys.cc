// Commands on keys of any type: existence, names, databases.
#include "server/commands/keys.h"

#include <unordered_set>

#include "server/commands/help.h"
#include "server/commands/numbers.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {
namespace {

RecordAttributes attributes_of(const Record& record) { return record.info; }

// Deletes each key once, however often it is named.
Step remove_keys(Call& call) {
  std::unordered_set<BytesView> removed;
  for (std::size_t i = 1; i < call.count(); ++i) {
    STRATA_FETCH(Record* const record, call.view.info(call.argument(i)));
    if (record == nullptr || !removed.insert(call.argument(i)).second) continue;
    call.batch.remove(call.key(i));
  }
  call.reply.integer(static_cast<std::int64_t>(removed.size()));
  return Step::done;
}

Step count_keys(Call& call) {
  std::int64_t count = 0;
  for (std::size_t i = 1; i < call.count(); ++i) {
    STRATA_FETCH(Record* const record, call.view.info(call.argument(i)));
    if (record != nullptr) ++count;
  }
  call.reply.integer(count);
  return Step::done;
}

// Moves a record to another name; `only_if_free`: not onto an existing one.
Step rename(Call& call, bool only_if_free) {
  STRATA_FETCH(Record* const source, call.view.get(call.argument(1)));
  if (source == nullptr) return call.error(kNoSuchKey);
  const bool same = call.argument(1) == call.argument(2);
  if (only_if_free) {
    STRATA_FETCH(Record* const target, call.view.info(call.argument(2)));
    if (target != nullptr) {
      call.reply.integer(0);
      return Step::done;
    }
  }
  if (!same) {
    call.batch.remove(call.key(1));
    call.batch.put_borrowed(call.key(2), source->value.view(), attributes_of(*source));
  }
  only_if_free ? call.reply.integer(1) : call.reply.ok();
  return Step::done;
}

// Puts the record of arguments[1] at `target` unless that is taken. True: it was put.
Fetched<bool> put_copy(Call& call, KeyRef target, bool replace, bool move) {
  STRATA_FETCH(Record* const source, call.view.get(call.argument(1)));
  if (source == nullptr) return false;
  STRATA_FETCH(Record* const taken, call.view.info(target));
  if (taken != nullptr && !replace) return false;
  call.batch.put_borrowed(target, source->value.view(), attributes_of(*source));
  if (move) call.batch.remove(call.key(1));
  return true;
}

Step copy_to(Call& call, BytesView name, int database, bool replace, bool move) {
  const Keyspace space = call.session.instance.databases->space(database);
  if (space == call.view.space() && name == call.argument(1)) {
    return call.error("ERR source and destination objects are the same");
  }
  STRATA_FETCH(const bool done, put_copy(call, {space, name}, replace, move));
  call.reply.integer(done ? 1 : 0);
  return Step::done;
}

std::string_view type_name(ValueType type) {
  switch (type) {
    case ValueType::string:
      return "string";
    case ValueType::list:
      return "list";
    case ValueType::hash:
      return "hash";
    case ValueType::set:
      return "set";
    case ValueType::sorted_set:
      return "zset";
    case ValueType::stream:
      return "stream";
    case ValueType::json:
      return "ReJSON-RL";
    default:
      return "string";
  }
}

// The encoding that Redis would report for a string.
std::string_view encoding_of(BytesView value) {
  constexpr std::size_t kEmbeddedBytesMax = 44;
  if (value.size() <= 20 && integer_of(value)) return "int";
  return value.size() <= kEmbeddedBytesMax ? "embstr" : "raw";
}

}  // namespace

Step del_command(Call& call) { return remove_keys(call); }
Step unlink_command(Call& call) { return remove_keys(call); }
Step exists_command(Call& call) { return count_keys(call); }
Step touch_command(Call& call) { return count_keys(call); }
Step rename_command(Call& call) { return rename(call, false); }
Step renamenx_command(Call& call) { return rename(call, true); }

Step type_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(1)));
  call.reply.simple(record == nullptr ? "none" : type_name(record->info.type));
  return Step::done;
}

Step copy_command(Call& call) {
  int database = call.session.database.load(std::memory_order_relaxed);
  bool replace = false;
  for (std::size_t i = 3; i < call.count(); ++i) {
    if (is_word(call.argument(i), "replace")) {
      replace = true;
    } else if (is_word(call.argument(i), "db") && i + 1 < call.count()) {
      const std::optional<int> number = database_of(call, call.argument(++i));
      if (!number) return Step::done;
      database = *number;
    } else {
      return call.error(kSyntaxError);
    }
  }
  return copy_to(call, call.argument(2), database, replace, false);
}

Step move_command(Call& call) {
  const std::optional<int> database = database_of(call, call.argument(2));
  if (!database) return Step::done;
  return copy_to(call, call.argument(1), *database, false, true);
}

Step object_encoding_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.get(call.argument(2)));
  if (record == nullptr) {
    call.reply.null();
  } else {
    call.reply.bulk(BytesView(encoding_of(record->value.view())));
  }
  return Step::done;
}

Step object_refcount_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(2)));
  record == nullptr ? call.reply.null() : call.reply.integer(1);
  return Step::done;
}

// Uses are not tracked by any engine yet; every record counts as just used.
Step object_idletime_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(2)));
  record == nullptr ? call.reply.null() : call.reply.integer(0);
  return Step::done;
}

Step object_freq_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(2)));
  if (record == nullptr) {
    call.reply.null();
    return Step::done;
  }
  return call.error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
      "when switching between policies at runtime LRU and LFU data will take some time to adjust.");
}

Step object_help_command(Call& call) {
  return help(call, {"ENCODING <key>", "    How the value is kept, in Redis's names.", "FREQ <key>",
                     "    How often the key is used, as far as that is tracked.", "IDLETIME <key>",
                     "    For how many seconds the key was not used.", "REFCOUNT <key>",
                     "    How many references the value has."});
}

// There are no replicas: whoever asks for one waits in vain.
Step wait_command(Call& call) {
  const std::optional<std::int64_t> replicas = integer_of(call.argument(1));
  if (!replicas) return call.error(kNotInteger);
  const std::optional<std::int64_t> timeout_ms = integer_of(call.argument(2));
  if (!timeout_ms) return call.error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return call.error("ERR timeout is negative");
  const std::int64_t waited_ms = call.session.instance.clock.wall_ms() - call.started_ms;
  if (*replicas <= 0 || (*timeout_ms > 0 && waited_ms >= *timeout_ms)) {
    call.reply.integer(0);
    return Step::done;
  }
  call.wait_until_ms = *timeout_ms > 0 ? call.started_ms + *timeout_ms : 0;
  return Step::wait;
}

}  // namespace strata::server
