#include "server/commands/expiry.h"

#include <limits>
#include <string>

#include "server/words.h"

namespace strata::server {

std::optional<std::int64_t> expiry_of(Call& call, BytesView number, TimeUnit unit, TimeBase base) {
  const std::optional<std::int64_t> value = integer_of(number);
  if (!value) {
    call.reply.error(kNotInteger);
    return std::nullopt;
  }
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const std::int64_t factor = unit == TimeUnit::seconds ? 1000 : 1;
  const std::int64_t start = base == TimeBase::now ? call.view.now_ms() : 0;
  if (*value <= 0 || *value > kMax / factor || *value * factor > kMax - start) {
    const CommandSpec* command =
        static_cast<const CommandSpec*>(call.session.last_command.load(std::memory_order_relaxed));
    call.reply.error("ERR invalid expire time in '" + std::string(command->name) + "' command");
    return std::nullopt;
  }
  return start + *value * factor;
}

}  // namespace strata::server
