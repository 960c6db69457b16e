// PING, ECHO, QUIT, SELECT, RESET, AUTH, HELLO: commands on the connection itself.
#include "server/commands/connection_commands.h"

#include "server/commands/client_name.h"
#include "server/commands/numbers.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {
namespace {

constexpr std::string_view kWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";

// There is one user, "default"; it needs the password if one is set.
bool authenticate(Call& call, BytesView user, BytesView password) {
  const Settings& settings = *call.session.instance.settings;
  const bool right =
      user == "default" && (!settings.password_required() || settings.password_matches(password));
  if (!right) {
    call.reply.error(kWrongPassword);
    return false;
  }
  call.session.authenticated.store(true, std::memory_order_relaxed);
  return true;
}

void greet(Call& call) {
  call.reply.map(7);
  const auto text = [&](std::string_view name, std::string_view value) {
    call.reply.bulk(BytesView(name));
    call.reply.bulk(BytesView(value));
  };
  const auto number = [&](std::string_view name, std::int64_t value) {
    call.reply.bulk(BytesView(name));
    call.reply.integer(value);
  };
  text("server", "redis");
  text("version", kRedisVersion);
  number("proto", call.session.protocol.load(std::memory_order_relaxed));
  number("id", static_cast<std::int64_t>(call.session.id));
  text("mode", "standalone");
  text("role", "master");
  call.reply.bulk(BytesView("modules"));
  call.reply.empty_array();
}

struct HelloOptions {
  int protocol = 0;  // 0: as it is
  BytesView user;
  BytesView password;
  bool login = false;
  std::optional<BytesView> name;
};

// False: the reply is the error.
bool parse_hello(Call& call, HelloOptions& hello) {
  if (call.count() > 1) {
    const std::optional<std::int64_t> version = integer_of(call.argument(1));
    if (!version) {
      call.reply.error("ERR Protocol version is not an integer or out of range");
      return false;
    }
    if (*version != 2 && *version != 3) {
      call.reply.error("NOPROTO unsupported protocol version");
      return false;
    }
    hello.protocol = static_cast<int>(*version);
  }
  for (std::size_t i = 2; i < call.count(); ++i) {
    const std::size_t left = call.count() - i - 1;
    if (is_word(call.argument(i), "auth") && left >= 2) {
      hello.login = true;
      hello.user = call.argument(i + 1);
      hello.password = call.argument(i + 2);
      i += 2;
    } else if (is_word(call.argument(i), "setname") && left >= 1) {
      hello.name = call.argument(++i);
      if (!is_client_name(*hello.name)) {
        call.reply.error(kBadClientName);
        return false;
      }
    } else {
      call.reply.error("ERR Syntax error in HELLO option '" + std::string(call.argument(i)) + "'");
      return false;
    }
  }
  return true;
}

}  // namespace

Step ping_command(Call& call) {
  if (call.count() > 2) {
    return call.error("ERR wrong number of arguments for 'ping' command");
  }
  call.count() == 1 ? call.reply.simple("PONG") : call.reply.bulk(call.argument(1));
  return Step::done;
}

Step echo_command(Call& call) {
  call.reply.bulk(call.argument(1));
  return Step::done;
}

Step quit_command(Call& call) {
  call.session.close_after_reply = true;
  call.reply.ok();
  return Step::done;
}

Step select_command(Call& call) {
  const std::optional<int> database = database_of(call, call.argument(1));
  if (!database) return Step::done;
  call.session.database.store(*database, std::memory_order_relaxed);
  call.reply.ok();
  return Step::done;
}

Step reset_command(Call& call) {
  Session& session = call.session;
  session.instance.monitors.stop(session);
  session.database.store(0, std::memory_order_relaxed);
  session.protocol.store(2, std::memory_order_relaxed);
  session.authenticated.store(!session.instance.settings->password_required(),
                              std::memory_order_relaxed);
  session.no_evict.store(false, std::memory_order_relaxed);
  session.no_touch.store(false, std::memory_order_relaxed);
  session.reply_mode = ReplyMode::on;
  session.set_name({});
  call.reply.use(session.encoder());
  call.reply.simple("RESET");
  return Step::done;
}

Step auth_command(Call& call) {
  if (call.count() > 3) return call.error(kSyntaxError);
  const bool named = call.count() == 3;
  if (!named && !call.session.instance.settings->password_required()) {
    return call.error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  if (authenticate(call, named ? call.argument(1) : "default", call.arguments.back())) {
    call.reply.ok();
  }
  return Step::done;
}

Step hello_command(Call& call) {
  HelloOptions hello;
  if (!parse_hello(call, hello)) return Step::done;
  Session& session = call.session;
  if (hello.login && !authenticate(call, hello.user, hello.password)) return Step::done;
  if (session.instance.settings->password_required() &&
      !session.authenticated.load(std::memory_order_relaxed)) {
    return call.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  if (hello.name) session.set_name(std::string(*hello.name));
  if (hello.protocol != 0) session.protocol.store(hello.protocol, std::memory_order_relaxed);
  call.reply.use(session.encoder());
  greet(call);
  return Step::done;
}

}  // namespace strata::server
