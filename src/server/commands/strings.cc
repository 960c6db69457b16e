#include "server/commands/strings.h"

#include <algorithm>

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
  ExpiryOption expiry;
};

// False: the reply is the error.
bool parse_set(Call& call, SetOptions& options) {
  for (std::size_t i = 3; i < call.count(); ++i) {
    const BytesView word = call.argument(i);
    bool fits = true;
    if (is_word(word, "nx") && !options.only_present) {
      options.only_absent = true;
    } else if (is_word(word, "xx") && !options.only_absent) {
      options.only_present = true;
    } else if (is_word(word, "get")) {
      options.get = true;
    } else if (is_word(word, "keepttl") && !options.expiry.given()) {
      options.keep_ttl = true;
    } else {
      fits = !options.keep_ttl && options.expiry.take(call, i);
    }
    if (!fits) {
      call.reply.error(kSyntaxError);
      return false;
    }
  }
  return options.expiry.resolve(call);
}

// Replaces the value and keeps nothing of the old record: SETEX and its like.
Step put_until(Call& call, std::int64_t expires_ms, BytesView value) {
  RecordAttributes attributes;
  attributes.expires_ms = expires_ms;
  call.batch.put_borrowed(call.key(1), value, attributes);
  call.reply.ok();
  return Step::done;
}

Step set_with_ttl(Call& call, TimeUnit unit) {
  const std::optional<std::int64_t> expires_ms =
      expiry_of(call, call.argument(2), unit, TimeBase::now);
  return expires_ms ? put_until(call, *expires_ms, call.argument(3)) : Step::done;
}

// Adds key and value pairs from arguments[1]; false: one is left over, and the reply says so.
bool put_pairs(Call& call) {
  if (call.count() % 2 == 0) {
    call.reply.error("ERR wrong number of arguments for '" + lower(call.argument(0)) + "' command");
    return false;
  }
  for (std::size_t i = 1; i < call.count(); i += 2) {
    call.batch.put_borrowed(call.key(i), call.argument(i + 1));
  }
  return true;
}

// The part of `value` from `start` to `end`, both inclusive, negative ones from the end.
BytesView part_of(BytesView value, std::int64_t start, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(value.size());
  if (start < 0 && end < 0 && start > end) return {};
  if (start < 0) start = std::max<std::int64_t>(size + start, 0);
  if (end < 0) end = std::max<std::int64_t>(size + end, 0);
  end = std::min(end, size - 1);
  if (start > end || size == 0) return {};
  return value.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start + 1));
}

bool too_long(Call& call, std::uint64_t bytes) {
  if (bytes <= kValueBytesMax) return false;
  call.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return true;
}

}  // namespace

bool set_keys(Arguments arguments, std::vector<KeyAt>& keys) {
  const auto is_get = [](BytesView argument) { return is_word(argument, "get"); };
  const bool reads = std::any_of(arguments.begin() + 3, arguments.end(), is_get);
  keys.push_back({1, static_cast<std::uint16_t>(reads ? kKeyRW | kKeyAccess | kKeyUpdate
                                                      : kKeyOW | kKeyUpdate)});
  return true;
}

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
  attributes.expires_ms = options.expiry.expires_ms();
  // A plain SET looks at nothing: it is a blind write.
  if (!options.get && !options.keep_ttl && !options.only_absent && !options.only_present) {
    call.batch.put_borrowed(call.key(1), call.argument(2), attributes);
    call.reply.ok();
    return Step::done;
  }
  STRATA_FETCH(Record* const old,
               options.get ? call.view.get(call.argument(1)) : call.view.info(call.argument(1)));
  if (options.get && is_no_string(old)) return call.error(kWrongType);
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

Step setnx_command(Call& call) {
  STRATA_FETCH(Record* const old, call.view.info(call.argument(1)));
  if (old == nullptr) call.batch.put_borrowed(call.key(1), call.argument(2));
  call.reply.integer(old == nullptr ? 1 : 0);
  return Step::done;
}

Step setex_command(Call& call) { return set_with_ttl(call, TimeUnit::seconds); }
Step psetex_command(Call& call) { return set_with_ttl(call, TimeUnit::milliseconds); }

Step getset_command(Call& call) {
  STRATA_FETCH(Record* const old, call.view.get(call.argument(1)));
  if (is_no_string(old)) return call.error(kWrongType);
  call.batch.put_borrowed(call.key(1), call.argument(2));
  old == nullptr ? call.reply.null() : call.reply.bulk(old->value);
  return Step::done;
}

Step getdel_command(Call& call) {
  STRATA_FETCH(Record* const old, call.view.get(call.argument(1)));
  if (is_no_string(old)) return call.error(kWrongType);
  if (old == nullptr) {
    call.reply.null();
    return Step::done;
  }
  call.batch.remove(call.key(1));
  call.reply.bulk(old->value);
  return Step::done;
}

Step getex_command(Call& call) {
  ExpiryOption expiry;
  bool persist = false;
  for (std::size_t i = 2; i < call.count(); ++i) {
    if (is_word(call.argument(i), "persist") && !expiry.given()) {
      persist = true;
    } else if (persist || !expiry.take(call, i)) {
      return call.error(kSyntaxError);
    }
  }
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (record == nullptr) {
    call.reply.null();
    return Step::done;
  }
  if (is_no_string(record)) return call.error(kWrongType);
  if (!expiry.resolve(call)) return Step::done;
  if (expiry.given() && expiry.expires_ms() <= call.view.now_ms()) {
    call.batch.remove(call.key(1));
  } else if (expiry.given()) {
    call.batch.expire(call.key(1), expiry.expires_ms());
  } else if (persist && record->info.expires_ms != kNeverExpires) {
    call.batch.expire(call.key(1), kNeverExpires);
  }
  call.reply.bulk(record->value);
  return Step::done;
}

Step mget_command(Call& call) {
  // All are fetched before the first byte of the reply; the first look fetches them together.
  for (std::size_t i = 1; i < call.count(); ++i) {
    STRATA_FETCH([[maybe_unused]] Record* const record, call.view.get(call.argument(i)));
  }
  call.reply.array(call.count() - 1);
  for (std::size_t i = 1; i < call.count(); ++i) {
    STRATA_FETCH(Record* const record, call.view.get(call.argument(i)));
    if (record == nullptr || is_no_string(record)) {
      call.reply.null();
    } else {
      // Not handed over: the same key may stand here twice.
      call.reply.bulk(record->value.view());
    }
  }
  return Step::done;
}

Step mset_command(Call& call) {
  if (put_pairs(call)) call.reply.ok();
  return Step::done;
}

Step msetnx_command(Call& call) {
  if (!put_pairs(call)) return Step::done;
  for (std::size_t i = 1; i < call.count(); i += 2) {
    STRATA_FETCH(Record* const record, call.view.info(call.argument(i)));
    if (record == nullptr) continue;
    call.batch.clear();
    call.reply.integer(0);
    return Step::done;
  }
  call.reply.integer(1);
  return Step::done;
}

Step strlen_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(1)));
  if (is_no_string(record)) return call.error(kWrongType);
  call.reply.integer(record == nullptr ? 0 : static_cast<std::int64_t>(record->info.value_bytes));
  return Step::done;
}

Step append_command(Call& call) {
  STRATA_FETCH(Record* const record, call.view.info(call.argument(1)));
  if (is_no_string(record)) return call.error(kWrongType);
  const BytesView bytes = call.argument(2);
  const std::uint64_t length = (record == nullptr ? 0 : record->info.value_bytes) + bytes.size();
  if (too_long(call, length)) return Step::done;
  if (record == nullptr || !bytes.empty()) call.batch.append(call.key(1), bytes);
  call.reply.integer(static_cast<std::int64_t>(length));
  return Step::done;
}

Step getrange_command(Call& call) {
  const std::optional<std::int64_t> start = integer_of(call.argument(2));
  const std::optional<std::int64_t> end = integer_of(call.argument(3));
  if (!start || !end) return call.error(kNotInteger);
  STRATA_FETCH(Record* const record, call.view.get(call.argument(1)));
  if (is_no_string(record)) return call.error(kWrongType);
  call.reply.bulk(record == nullptr ? BytesView() : part_of(record->value.view(), *start, *end));
  return Step::done;
}

Step substr_command(Call& call) { return getrange_command(call); }

Step setrange_command(Call& call) {
  const std::optional<std::int64_t> offset = integer_of(call.argument(2));
  if (!offset) return call.error(kNotInteger);
  if (*offset < 0) return call.error("ERR offset is out of range");
  const BytesView bytes = call.argument(3);
  STRATA_FETCH(Record* const record, call.view.info(call.argument(1)));
  if (is_no_string(record)) return call.error(kWrongType);
  const std::uint64_t length = record == nullptr ? 0 : record->info.value_bytes;
  if (bytes.empty()) {
    call.reply.integer(static_cast<std::int64_t>(length));
    return Step::done;
  }
  const auto from = static_cast<std::uint64_t>(*offset);
  if (too_long(call, from + bytes.size())) return Step::done;
  call.batch.patch(call.key(1), from, bytes.size(), bytes);
  call.reply.integer(static_cast<std::int64_t>(std::max(length, from + bytes.size())));
  return Step::done;
}

}  // namespace strata::server
