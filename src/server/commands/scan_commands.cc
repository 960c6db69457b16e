// KEYS, SCAN, RANDOMKEY: going over the keys of a database.
#include <charconv>

#include "server/commands/keys.h"
#include "server/instance.h"
#include "server/words.h"

namespace strata::server {
namespace {

struct ScanArguments {
  std::uint64_t cursor = 0;
  BytesView pattern = "*";
  std::int64_t count = 10;
  BytesView type;
  bool typed = false;
};

// As strtoul, which Redis uses: nothing at all is 0, and there may be a sign.
bool parse_cursor(BytesView text, std::uint64_t& cursor) {
  if (text.empty()) return true;
  const bool sign = text[0] == '-' || text[0] == '+';
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + (sign ? 1 : 0), last, cursor);
  if (error != std::errc() || end != last) return false;
  if (text[0] == '-') cursor = 0 - cursor;
  return true;
}

// False: the reply is the error.
bool parse(Call& call, ScanArguments& scan) {
  if (!parse_cursor(call.argument(1), scan.cursor)) {
    call.reply.error("ERR invalid cursor");
    return false;
  }
  for (std::size_t i = 2; i < call.count(); i += 2) {
    if (i + 1 == call.count()) {
      call.reply.error(kSyntaxError);
      return false;
    }
    const BytesView word = call.argument(i);
    const BytesView given = call.argument(i + 1);
    if (is_word(word, "match")) {
      scan.pattern = given;
    } else if (is_word(word, "type")) {
      scan.type = given;
      scan.typed = true;
    } else if (is_word(word, "count")) {
      const std::optional<std::int64_t> count = integer_of(given);
      if (!count || *count < 1) {
        call.reply.error(count ? kSyntaxError : kNotInteger);
        return false;
      }
      scan.count = *count;
    } else {
      call.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

bool is_type(ValueType type, BytesView name) {
  constexpr std::pair<ValueType, std::string_view> kNames[] = {
      {ValueType::string, "string"}, {ValueType::list, "list"},       {ValueType::hash, "hash"},
      {ValueType::set, "set"},       {ValueType::sorted_set, "zset"}, {ValueType::stream, "stream"},
      {ValueType::json, "ReJSON-RL"}};
  for (const auto& [known, text] : kNames) {
    if (known == type) return is_word(name, text);
  }
  return false;
}

void reply_keys(Call& call, const std::vector<Bytes>& keys) {
  call.reply.array(keys.size());
  for (const Bytes& key : keys) call.reply.bulk(BytesView(key));
}

}  // namespace

Step keys_command(Call& call) {
  const BytesView pattern = call.argument(1);
  CursorOptions options;
  options.count = 1024;
  options.prefix = literal_prefix(pattern);
  std::vector<Bytes> keys;
  Bytes cursor;
  ScanPage page;
  do {
    page.clear();
    STRATA_FETCH([[maybe_unused]] const bool scanned,
                 call.view.scan_some(call.view.space(), cursor, options, page));
    for (std::size_t i = 0; i < page.size(); ++i) {
      if (matches(pattern, page[i].key)) keys.emplace_back(page[i].key);
    }
  } while (!cursor.empty());
  reply_keys(call, keys);
  return Step::done;
}

Step scan_command(Call& call) {
  ScanArguments scan;
  if (!parse(call, scan)) return Step::done;
  ScanCursors& cursors = call.session.instance.scan_cursors;
  CursorOptions options;
  // One call does bounded work, whatever it asks for; the client comes back with the cursor.
  constexpr std::int64_t kCountMax = 100'000;
  options.count = static_cast<std::uint32_t>(std::min(scan.count, kCountMax));
  options.prefix = literal_prefix(scan.pattern);
  Bytes cursor = cursors.cursor_of(scan.cursor);
  ScanPage page;
  STRATA_FETCH([[maybe_unused]] const bool scanned,
               call.view.scan_some(call.view.space(), cursor, options, page));
  std::vector<Bytes> keys;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const ScanEntry entry = page[i];
    if (scan.typed && !is_type(entry.info.type, scan.type)) continue;
    if (matches(scan.pattern, entry.key)) keys.emplace_back(entry.key);
  }
  call.reply.array(2);
  call.reply.bulk(BytesView(std::to_string(cursors.number_of(cursor))));
  reply_keys(call, keys);
  return Step::done;
}

// Any key: of an ordered store the one at a random place between the first and the last (so keys
// behind wide gaps come more often), otherwise one of the first that the store gives.
Step randomkey_command(Call& call) {
  STRATA_FETCH(const std::optional<Bytes> key, call.session.instance.random_key(call.view));
  key ? call.reply.bulk(BytesView(*key)) : call.reply.null();
  return Step::done;
}

}  // namespace strata::server
