#include "server/monitors.h"

#include <fmt/format.h>

#include "server/secrets.h"
#include "server/words.h"

namespace strata::server {

void Monitors::start(Session& session) {
  if (!session.monitoring.exchange(true)) count_.fetch_add(1, std::memory_order_relaxed);
}

void Monitors::stop(Session& session) {
  if (session.monitoring.exchange(false)) count_.fetch_sub(1, std::memory_order_relaxed);
}

void Monitors::feed(const Session& from, Arguments arguments, const base::Clock& clock) {
  const std::int64_t now_ms = clock.wall_ms();
  std::string line = fmt::format("+{}.{:06} [{} {}]", now_ms / 1000, (now_ms % 1000) * 1000,
                                 from.database.load(std::memory_order_relaxed),
                                 from.unix_socket ? "unix:" + from.local_address : from.address);
  std::vector<BytesView> room;
  for (const BytesView argument : without_secrets(arguments, room)) {
    line += ' ';
    line += quoted(argument);
  }
  line += "\r\n";
  const auto shared = std::make_shared<const Bytes>(std::move(line));
  clients_.visit([&](Session& session) {
    if (session.monitoring.load(std::memory_order_relaxed)) session.deliver(shared);
  });
}

}  // namespace strata::server
