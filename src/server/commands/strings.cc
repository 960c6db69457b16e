#include "server/commands/strings.h"

#include "server/commands/expiry.h"
#include "server/words.h"

namespace strata::server {
namespace {

// The options of SET.
struct SetOptions {
  bool only_absent = false;
  bool only_present = false;
  bool get = false;
  bool keep_ttl = false;
  std::int64_t expires_ms = kNeverExpires;
};

// False: the reply is the error.
bool parse_set(Call& call, SetOptions& options) {
  bool expiry_given = false;
  BytesView expiry;
  TimeUnit unit{};
  TimeBase base{};
  const auto time_option = [&](std::size_t& i, TimeUnit new_unit, TimeBase new_base) {
    if (expiry_given || options.keep_ttl || i + 1 >= call.count()) return false;
    expiry_given = true;
    expiry = call.argument(++i);
    unit = new_unit;
    base = new_base;
    return true;
  };
  for (std::size_t i = 3; i < call.count(); ++i) {
    const BytesView word = call.argument(i);
    bool fits = true;
    if (is_word(word, "nx") && !options.only_present) {
      options.only_absent = true;
    } else if (is_word(word, "xx") && !options.only_absent) {
      options.only_present = true;
    } else if (is_word(word, "get")) {
      options.get = true;
    } else if (is_word(word, "keepttl") && !expiry_given) {
      options.keep_ttl = true;
    } else if (is_word(word, "ex")) {
      fits = time_option(i, TimeUnit::seconds, TimeBase::now);
    } else if (is_word(word, "px")) {
      fits = time_option(i, TimeUnit::milliseconds, TimeBase::now);
    } else if (is_word(word, "exat")) {
      fits = time_option(i, TimeUnit::seconds, TimeBase::epoch);
    } else if (is_word(word, "pxat")) {
      fits = time_option(i, TimeUnit::milliseconds, TimeBase::epoch);
    } else {
      fits = false;
    }
    if (!fits) {
      call.reply.error(kSyntaxError);
      return false;
    }
  }
  if (!expiry_given) return true;
  const std::optional<std::int64_t> expires_ms = expiry_of(call, expiry, unit, base);
  if (expires_ms) options.expires_ms = *expires_ms;
  return expires_ms.has_value();
}

}  // namespace

Step get_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (record == nullptr) {
    call.reply.null();
  } else if (record->info.type != ValueType::string) {
    call.reply.error(kWrongType);
  } else {
    call.reply.bulk(record->value);
  }
  return Step::done;
}

Step set_command(Call& call) {
  SetOptions options;
  if (!parse_set(call, options)) return Step::done;
  RecordAttributes attributes;
  attributes.expires_ms = options.expires_ms;
  // A plain SET looks at nothing: it is a blind write.
  if (!options.get && !options.keep_ttl && !options.only_absent && !options.only_present) {
    call.batch.put_borrowed(call.key(1), call.argument(2), attributes);
    call.reply.ok();
    return Step::done;
  }
  STRATA_FETCH(Record* const old, options.get ? call.view.get(call.argument(1))
                                              : call.view.info(call.argument(1)));
  if (options.get && old != nullptr && old->info.type != ValueType::string) {
    return call.error(kWrongType);
  }
  const bool refused = old == nullptr ? options.only_present : options.only_absent;
  if (!refused) {
    if (options.keep_ttl && old != nullptr) attributes.expires_ms = old->info.expires_ms;
    call.batch.put_borrowed(call.key(1), call.argument(2), attributes);
  }
  if (options.get && old != nullptr) {
    call.reply.bulk(old->value);
  } else if (options.get || refused) {
    call.reply.null();
  } else {
    call.reply.ok();
  }
  return Step::done;
}

}  // namespace strata::server
