// INCR and its family: numbers in decimal, kept as strings.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "server/commands/strings.h"
#include "server/words.h"

namespace strata::server {
namespace {

// Writes the new number and keeps type and expiry of the record.
void put_number(Call& call, const Record* old, BytesView text) {
  RecordAttributes attributes;
  if (old != nullptr) attributes.expires_ms = old->info.expires_ms;
  call.batch.put(call.key(1), text, attributes);
}

Step add(Call& call, std::int64_t amount) {
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  std::int64_t number = 0;
  if (record != nullptr) {
    if (record->info.type != ValueType::string) return call.error(kWrongType);
    const std::optional<std::int64_t> present = integer_of(record->value.view());
    if (!present) return call.error(kNotInteger);
    number = *present;
  }
  if (__builtin_add_overflow(number, amount, &number)) {
    return call.error("ERR increment or decrement would overflow");
  }
  put_number(call, record, fmt::format_int(number).c_str());
  call.reply.integer(number);
  return Step::done;
}

// As many digits as are needed, no exponent, no zeros at the end.
std::string shortest(long double number) {
  std::array<char, 5 * 1024> digits;  // the largest long double has 4933 before the point
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                          std::chars_format::fixed, 17);
  STRATA_CHECK(error == std::errc());
  std::string text(digits.data(), end);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

}  // namespace

Step incr_command(Call& call) { return add(call, 1); }
Step decr_command(Call& call) { return add(call, -1); }

Step incrby_command(Call& call) {
  const std::optional<std::int64_t> amount = integer_of(call.argument(2));
  return amount ? add(call, *amount) : call.error(kNotInteger);
}

Step decrby_command(Call& call) {
  const std::optional<std::int64_t> amount = integer_of(call.argument(2));
  if (!amount) return call.error(kNotInteger);
  if (*amount == std::numeric_limits<std::int64_t>::min()) {
    return call.error("ERR decrement would overflow");
  }
  return add(call, -*amount);
}

Step incrbyfloat_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (is_no_string(record)) return call.error(kWrongType);
  const std::optional<long double> present =
      record == nullptr ? std::optional<long double>(0) : real_of(record->value.view());
  const std::optional<long double> amount = real_of(call.argument(2));
  if (!present || !amount) return call.error(kNotFloat);
  const long double sum = *present + *amount;
  if (!std::isfinite(sum)) return call.error("ERR increment would produce NaN or Infinity");
  const std::string text = shortest(sum);
  put_number(call, record, text);
  call.reply.bulk(BytesView(text));
  return Step::done;
}

}  // namespace strata::server
