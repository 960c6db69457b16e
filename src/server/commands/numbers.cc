#include "server/commands/numbers.h"

#include <limits>
#include <string>

#include "server/instance.h"
#include "server/words.h"

namespace strata::server {

std::optional<int> int_of(Call& call, BytesView text) {
  const std::optional<std::int64_t> number = integer_of(text);
  if (!number) {
    call.reply.error(kNotInteger);
    return std::nullopt;
  }
  if (*number < std::numeric_limits<int>::min() || *number > std::numeric_limits<int>::max()) {
    call.reply.error("ERR value is out of range, value must between " +
                     std::to_string(std::numeric_limits<int>::min()) + " and " +
                     std::to_string(std::numeric_limits<int>::max()));
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

std::optional<int> database_of(Call& call, BytesView text) {
  const std::optional<int> number = int_of(call, text);
  if (!number) return std::nullopt;
  if (*number < 0 || *number >= call.session.instance.databases->count()) {
    call.reply.error("ERR DB index is out of range");
    return std::nullopt;
  }
  return number;
}

}  // namespace strata::server
