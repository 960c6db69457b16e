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

bool ExpiryOption::take(Call& call, std::size_t& i) {
  struct Word {
    std::string_view text;
    TimeUnit unit;
    TimeBase base;
  };
  constexpr Word kWords[] = {{"ex", TimeUnit::seconds, TimeBase::now},
                             {"px", TimeUnit::milliseconds, TimeBase::now},
                             {"exat", TimeUnit::seconds, TimeBase::epoch},
                             {"pxat", TimeUnit::milliseconds, TimeBase::epoch}};
  for (const Word& word : kWords) {
    if (!is_word(call.argument(i), word.text)) continue;
    const bool another = given_ && (unit_ != word.unit || base_ != word.base);
    if (another || i + 1 >= call.count()) return false;
    given_ = true;
    unit_ = word.unit;
    base_ = word.base;
    number_ = call.argument(++i);
    return true;
  }
  return false;
}

bool ExpiryOption::resolve(Call& call) {
  if (!given_) return true;
  const std::optional<std::int64_t> expires_ms = expiry_of(call, number_, unit_, base_);
  if (expires_ms) expires_ms_ = *expires_ms;
  return expires_ms.has_value();
}

}  // namespace strata::server
