// Commands on the server itself: sizes, emptying, time, INFO, MONITOR.
#include "server/commands/server_commands.h"

#include <numeric>

#include "server/commands/numbers.h"
#include "server/info.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {
namespace {

// FLUSHDB and FLUSHALL: the databases get fresh keyspaces; the records go in the background, so
// ASYNC and SYNC are the same.
Step flush(Call& call, std::span<const int> databases) {
  const bool known = call.count() == 1 ||
                     (call.count() == 2 &&
                      (is_word(call.argument(1), "async") || is_word(call.argument(1), "sync")));
  if (!known) return call.error(kSyntaxError);
  if (const Result<> done = call.session.instance.databases->renew(databases); !done) {
    return call.view.fail(done.error());
  }
  call.reply.ok();
  return Step::done;
}

}  // namespace

Step dbsize_command(Call& call) {
  STRATA_FETCH(const std::uint64_t keys, call.view.count(call.view.space()));
  call.reply.integer(static_cast<std::int64_t>(keys));
  return Step::done;
}

Step flushdb_command(Call& call) {
  const int database = call.session.database.load(std::memory_order_relaxed);
  return flush(call, std::span(&database, 1));
}

Step flushall_command(Call& call) {
  std::vector<int> databases(static_cast<std::size_t>(call.session.instance.databases->count()));
  std::iota(databases.begin(), databases.end(), 0);
  return flush(call, databases);
}

Step swapdb_command(Call& call) {
  const std::optional<std::int64_t> one = integer_of(call.argument(1));
  if (!one) return call.error("ERR invalid first DB index");
  const std::optional<std::int64_t> other = integer_of(call.argument(2));
  if (!other) return call.error("ERR invalid second DB index");
  Databases& databases = *call.session.instance.databases;
  for (const std::int64_t number : {*one, *other}) {
    if (number < 0 || number >= databases.count())
      return call.error("ERR DB index is out of range");
  }
  if (*one != *other) {
    const Result<> done = databases.swap(static_cast<int>(*one), static_cast<int>(*other));
    if (!done) return call.view.fail(done.error());
  }
  call.reply.ok();
  return Step::done;
}

Step time_command(Call& call) {
  // The clock has milliseconds; the monotonic one tells the moments within one.
  const std::int64_t now_us = call.session.instance.clock.wall_ms() * 1000 +
                              call.session.instance.clock.monotonic_ns() / 1000 % 1000;
  call.reply.array(2);
  call.reply.bulk(BytesView(std::to_string(now_us / 1'000'000)));
  call.reply.bulk(BytesView(std::to_string(now_us % 1'000'000)));
  return Step::done;
}

Step info_command(Call& call) {
  const Result<std::string> text = info_text(call.session.instance, call.arguments.subspan(1));
  if (!text) return call.view.fail(text.error());
  call.reply.verbatim("txt", *text);
  return Step::done;
}

Step monitor_command(Call& call) {
  call.session.instance.monitors.start(call.session);
  call.reply.ok();
  return Step::done;
}

}  // namespace strata::server
