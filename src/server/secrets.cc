#include "server/secrets.h"

#include "server/parameters.h"
#include "server/words.h"

namespace strata::server {
namespace {

constexpr std::string_view kRedacted = "(redacted)";

bool is_secret_parameter(BytesView name) {
  for (const Parameter& parameter : parameters()) {
    if (parameter.secret && is_word(name, parameter.name)) return true;
  }
  return false;
}

}  // namespace

Arguments without_secrets(Arguments arguments, std::vector<BytesView>& room) {
  const bool auth = is_word(arguments[0], "auth");
  const bool hello = is_word(arguments[0], "hello");
  const bool config = is_word(arguments[0], "config") && arguments.size() > 2;
  if (!auth && !hello && !config) return arguments;
  room.assign(arguments.begin(), arguments.end());
  for (std::size_t i = 1; i < room.size(); ++i) {
    if (auth) room[i] = kRedacted;
    if (hello && i > 2 && is_word(arguments[i - 1], "auth")) room[i] = kRedacted;
    if (hello && i > 3 && is_word(arguments[i - 2], "auth")) room[i] = kRedacted;
    if (config && i > 2 && i % 2 == 1 && is_secret_parameter(arguments[i - 1])) room[i] = kRedacted;
  }
  return room;
}

}  // namespace strata::server
