// EXPIRE and its family, TTL and its family, PERSIST.
#include <limits>

#include "server/commands/expiry.h"
#include "server/commands/keys.h"
#include "server/words.h"

namespace strata::server {
namespace {

struct ExpireConditions {
  bool none_yet = false;  // NX
  bool some = false;      // XX
  bool later = false;     // GT
  bool earlier = false;   // LT

  bool allow(std::int64_t present_ms, std::int64_t wanted_ms) const {
    const bool has = present_ms != kNeverExpires;
    if (none_yet && has) return false;
    if (some && !has) return false;
    if (later && (!has || wanted_ms <= present_ms)) return false;
    return !earlier || !has || wanted_ms < present_ms;
  }
};

// False: the reply is the error.
bool parse(Call& call, ExpireConditions& conditions) {
  for (std::size_t i = 3; i < call.count(); ++i) {
    const BytesView word = call.argument(i);
    if (is_word(word, "nx")) {
      conditions.none_yet = true;
    } else if (is_word(word, "xx")) {
      conditions.some = true;
    } else if (is_word(word, "gt")) {
      conditions.later = true;
    } else if (is_word(word, "lt")) {
      conditions.earlier = true;
    } else {
      call.reply.error("ERR Unsupported option " + std::string(word));
      return false;
    }
  }
  if (conditions.none_yet && (conditions.some || conditions.later || conditions.earlier)) {
    call.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions.later && conditions.earlier) {
    call.reply.error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// The absolute time, which may lie in the past. Nothing: the reply is the error.
std::optional<std::int64_t> time_of(Call& call, TimeUnit unit, TimeBase base) {
  const std::optional<std::int64_t> number = integer_of(call.argument(2));
  if (!number) {
    call.reply.error(kNotInteger);
    return std::nullopt;
  }
  const std::int64_t factor = unit == TimeUnit::seconds ? 1000 : 1;
  const std::int64_t start = base == TimeBase::now ? call.view.now_ms() : 0;
  std::int64_t time_ms = 0;
  if (__builtin_mul_overflow(*number, factor, &time_ms) ||
      __builtin_add_overflow(time_ms, start, &time_ms)) {
    call.reply.error("ERR invalid expire time in '" + lower(call.argument(0)) + "' command");
    return std::nullopt;
  }
  return time_ms;
}

Step expire(Call& call, TimeUnit unit, TimeBase base) {
  ExpireConditions conditions;
  if (!parse(call, conditions)) return Step::done;
  const std::optional<std::int64_t> time_ms = time_of(call, unit, base);
  if (!time_ms) return Step::done;
  STRATA_FETCH(Record* const record, call.view.info(call.argument(1)));
  if (record == nullptr || !conditions.allow(record->info.expires_ms, *time_ms)) {
    call.reply.integer(0);
    return Step::done;
  }
  if (*time_ms <= call.view.now_ms()) {
    call.batch.remove(call.key(1));
  } else {
    call.batch.expire(call.key(1), *time_ms);
  }
  call.reply.integer(1);
  return Step::done;
}

// What is left, or the time itself, of a key's life.
Step show(Call& call, TimeUnit unit, TimeBase base) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(1)));
  if (record == nullptr || record->info.expires_ms == kNeverExpires) {
    call.reply.integer(record == nullptr ? -2 : -1);
    return Step::done;
  }
  std::int64_t time_ms = record->info.expires_ms;
  if (base == TimeBase::now) time_ms = std::max<std::int64_t>(time_ms - call.view.now_ms(), 0);
  // To the nearest second; half a second more than the last time there is must not wrap.
  const std::int64_t seconds = time_ms / 1000 + (time_ms % 1000 >= 500 ? 1 : 0);
  call.reply.integer(unit == TimeUnit::seconds ? seconds : time_ms);
  return Step::done;
}

}  // namespace

Step expire_command(Call& call) { return expire(call, TimeUnit::seconds, TimeBase::now); }
Step pexpire_command(Call& call) { return expire(call, TimeUnit::milliseconds, TimeBase::now); }
Step expireat_command(Call& call) { return expire(call, TimeUnit::seconds, TimeBase::epoch); }
Step pexpireat_command(Call& call) { return expire(call, TimeUnit::milliseconds, TimeBase::epoch); }
Step ttl_command(Call& call) { return show(call, TimeUnit::seconds, TimeBase::now); }
Step pttl_command(Call& call) { return show(call, TimeUnit::milliseconds, TimeBase::now); }
Step expiretime_command(Call& call) { return show(call, TimeUnit::seconds, TimeBase::epoch); }
Step pexpiretime_command(Call& call) { return show(call, TimeUnit::milliseconds, TimeBase::epoch); }

Step persist_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(1)));
  const bool changes = record != nullptr && record->info.expires_ms != kNeverExpires;
  if (changes) call.batch.expire(call.key(1), kNeverExpires);
  call.reply.integer(changes ? 1 : 0);
  return Step::done;
}

}  // namespace strata::server
