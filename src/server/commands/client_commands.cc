// The CLIENT subcommands.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "server/commands/client_name.h"
#include "server/commands/connection_commands.h"
#include "server/commands/help.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {
namespace {

std::string flags_of(const Session& session) {
  std::string flags;
  if (session.monitoring.load(std::memory_order_relaxed)) flags += 'O';
  if (session.blocked.load(std::memory_order_relaxed)) flags += 'b';
  if (session.unix_socket) flags += 'U';
  if (session.no_evict.load(std::memory_order_relaxed)) flags += 'e';
  if (session.no_touch.load(std::memory_order_relaxed)) flags += 'T';
  return flags.empty() ? "N" : flags;
}

std::string command_of(const Session& session) {
  const auto* command =
      static_cast<const CommandSpec*>(session.last_command.load(std::memory_order_relaxed));
  if (command == nullptr) return "NULL";
  if (command->parent.empty()) return std::string(command->name);
  return fmt::format("{}|{}", command->parent, command->name);
}

// A session as CLIENT LIST shows it: the fields of Redis 7.0, then the library's.
std::string line_of(const Session& session, std::int64_t now_ms) {
  const auto relaxed = std::memory_order_relaxed;
  const std::uint64_t query = session.query_bytes.load(relaxed);
  const std::uint64_t output = session.output_bytes.load(relaxed);
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 "
      "multi=-1 qbuf={} qbuf-free=0 argv-mem={} multi-mem=0 rbs=0 rbp=0 obl=0 oll={} omem={} "
      "tot-mem={} events=r cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={}\n",
      session.id, session.address, session.local_address, session.descriptor, session.name(),
      std::max<std::int64_t>(now_ms - session.created_ms, 0) / 1000,
      std::max<std::int64_t>(now_ms - session.last_command_ms.load(relaxed), 0) / 1000,
      flags_of(session), session.database.load(relaxed), query, query, output == 0 ? 0 : 1, output,
      query + output + sizeof(Session), command_of(session), session.protocol.load(relaxed),
      session.library(false), session.library(true));
}

// The types of clients that CLIENT LIST and KILL tell apart; nothing: unknown.
std::optional<bool> type_is_normal(BytesView type) {
  if (is_word(type, "normal")) return true;
  for (const std::string_view other : {"master", "replica", "slave", "pubsub"}) {
    if (is_word(type, other)) return false;
  }
  return std::nullopt;
}

std::string unknown_type(BytesView type) {
  return "ERR Unknown client type '" + std::string(type) + "'";
}

struct KillFilter {
  std::optional<std::uint64_t> id;
  std::optional<BytesView> address;
  std::optional<BytesView> local_address;
  std::optional<bool> normal;
  bool skip_me = true;

  bool hits(const Session& session, const Session& me) const {
    if (id && session.id != *id) return false;
    if (address && session.address != *address) return false;
    if (local_address && session.local_address != *local_address) return false;
    if (normal && !*normal) return false;
    return !(skip_me && &session == &me);
  }
};

// False: the reply is the error.
bool parse_kill_option(Call& call, BytesView word, BytesView given, KillFilter& filter) {
  std::string error;
  if (is_word(word, "id")) {
    const std::optional<std::int64_t> id = integer_of(given);
    if (!id || *id < 1) error = "ERR client-id should be greater than 0";
    if (id) filter.id = static_cast<std::uint64_t>(*id);
  } else if (is_word(word, "type")) {
    filter.normal = type_is_normal(given);
    if (!filter.normal) error = unknown_type(given);
  } else if (is_word(word, "addr")) {
    filter.address = given;
  } else if (is_word(word, "laddr")) {
    filter.local_address = given;
  } else if (is_word(word, "user")) {
    if (given != "default") error = "ERR No such user '" + std::string(given) + "'";
  } else if (is_word(word, "skipme") && (is_word(given, "yes") || is_word(given, "no"))) {
    filter.skip_me = is_word(given, "yes");
  } else {
    error = kSyntaxError;
  }
  if (!error.empty()) call.reply.error(error);
  return error.empty();
}

std::int64_t kill(Call& call, const KillFilter& filter) {
  std::int64_t killed = 0;
  call.session.instance.clients.visit([&](Session& session) {
    if (!filter.hits(session, call.session)) return;
    ++killed;
    if (&session == &call.session) {
      session.close_after_reply = true;
    } else {
      session.kill.store(true, std::memory_order_release);
      session.poke();
    }
  });
  return killed;
}

Step set_flag(Call& call, std::atomic<bool>& flag) {
  const bool on = is_word(call.argument(2), "on");
  if (!on && !is_word(call.argument(2), "off")) return call.error(kSyntaxError);
  flag.store(on, std::memory_order_relaxed);
  call.reply.ok();
  return Step::done;
}

}  // namespace

Step client_id_command(Call& call) {
  call.reply.integer(static_cast<std::int64_t>(call.session.id));
  return Step::done;
}

Step client_getname_command(Call& call) {
  const std::string name = call.session.name();
  name.empty() ? call.reply.null() : call.reply.bulk(BytesView(name));
  return Step::done;
}

Step client_setname_command(Call& call) {
  if (!is_client_name(call.argument(2))) return call.error(kBadClientName);
  call.session.set_name(std::string(call.argument(2)));
  call.reply.ok();
  return Step::done;
}

Step client_setinfo_command(Call& call) {
  const bool version = is_word(call.argument(2), "lib-ver");
  if (!version && !is_word(call.argument(2), "lib-name")) {
    return call.error("ERR Unrecognized option '" + std::string(call.argument(2)) + "'");
  }
  if (!is_client_name(call.argument(3))) {
    return call.error("ERR " + lower(call.argument(2)) +
                      " cannot contain spaces, newlines or special characters.");
  }
  call.session.set_library(version, std::string(call.argument(3)));
  call.reply.ok();
  return Step::done;
}

Step client_info_command(Call& call) {
  call.reply.verbatim("txt", line_of(call.session, call.view.now_ms()));
  return Step::done;
}

Step client_list_command(Call& call) {
  bool normal = true;
  std::vector<std::uint64_t> ids;
  if (call.count() == 4 && is_word(call.argument(2), "type")) {
    const std::optional<bool> type = type_is_normal(call.argument(3));
    if (!type) return call.error(unknown_type(call.argument(3)));
    normal = *type;
  } else if (call.count() > 3 && is_word(call.argument(2), "id")) {
    for (std::size_t i = 3; i < call.count(); ++i) {
      const std::optional<std::int64_t> id = integer_of(call.argument(i));
      if (!id) return call.error("ERR Invalid client ID");
      ids.push_back(static_cast<std::uint64_t>(*id));
    }
  } else if (call.count() != 2) {
    return call.error(kSyntaxError);
  }
  std::map<std::uint64_t, std::string> lines;
  call.session.instance.clients.visit([&](Session& session) {
    const bool asked = ids.empty() || std::find(ids.begin(), ids.end(), session.id) != ids.end();
    if (normal && asked) lines.emplace(session.id, line_of(session, call.view.now_ms()));
  });
  std::string text;
  for (const std::uint64_t id : ids) {  // in the order asked for, as often as asked for
    if (const auto line = lines.find(id); line != lines.end()) text += line->second;
  }
  if (ids.empty()) {
    for (const auto& [id, line] : lines) text += line;
  }
  call.reply.verbatim("txt", text);
  return Step::done;
}

Step client_kill_command(Call& call) {
  KillFilter filter;
  if (call.count() == 3) {
    filter.address = call.argument(2);
    filter.skip_me = false;
    if (kill(call, filter) == 0) return call.error("ERR No such client");
    call.reply.ok();
    return Step::done;
  }
  for (std::size_t i = 2; i < call.count(); i += 2) {
    if (i + 1 == call.count()) return call.error(kSyntaxError);
    if (!parse_kill_option(call, call.argument(i), call.argument(i + 1), filter)) {
      return Step::done;
    }
  }
  call.reply.integer(kill(call, filter));
  return Step::done;
}

Step client_no_evict_command(Call& call) { return set_flag(call, call.session.no_evict); }
Step client_no_touch_command(Call& call) { return set_flag(call, call.session.no_touch); }

Step client_reply_command(Call& call) {
  const BytesView mode = call.argument(2);
  if (is_word(mode, "on")) {
    call.session.reply_mode = ReplyMode::on;
    call.reply.ok();
  } else if (is_word(mode, "off")) {
    call.session.reply_mode = ReplyMode::off;
  } else if (is_word(mode, "skip")) {
    if (call.session.reply_mode != ReplyMode::off) {
      call.session.reply_mode = ReplyMode::skip_next;
    }
  } else {
    return call.error(kSyntaxError);
  }
  return Step::done;
}

Step client_help_command(Call& call) {
  return help(call, {"GETNAME",
                     "    Tell the name of this connection.",
                     "ID",
                     "    Tell the number of this connection.",
                     "INFO",
                     "    Tell what is known of this connection.",
                     "KILL <ip:port>",
                     "    Close the connection from that address.",
                     "KILL <option> <value> [<option> <value> ...]",
                     "    Close connections by ADDR, LADDR, ID, TYPE, USER; SKIPME (YES|NO).",
                     "LIST [options ...]",
                     "    Tell what is known of connections: TYPE, ID.",
                     "NO-EVICT (ON|OFF)",
                     "    Keep this connection when memory is short.",
                     "NO-TOUCH (ON|OFF)",
                     "    Leave access times alone.",
                     "REPLY (ON|OFF|SKIP)",
                     "    Choose whether commands are answered.",
                     "SETINFO <option> <value>",
                     "    Name the client library: LIB-NAME, LIB-VER.",
                     "SETNAME <name>",
                     "    Name this connection."});
}

}  // namespace strata::server
