#include "cli/record_commands.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/hex.h"
#include "base/parse.h"
#include "base/quote.h"

namespace strata::cli {

namespace {

/// A command's store and keyspace. No keyspace: nothing was ever written to one of that name.
struct Place {
  std::unique_ptr<Store> store;
  std::optional<Keyspace> space;

  /// The status, unless closing the store fails.
  Result<ExitCode> leave(ExitCode status) {
    STRATA_TRY(store->close());
    return status;
  }
};

/// `make`: store and keyspace, where they are not there.
Result<Place> enter(Context& context, const std::string& keyspace, bool make) {
  Place place;
  STRATA_LET(place.store, context.open_store(make));
  STRATA_LET(place.space, keyspace_of(*place.store, keyspace, make));
  return place;
}

Result<std::int64_t> expiry_of(const std::string& ttl) {
  if (ttl.empty()) return kNeverExpires;
  STRATA_LET(const std::int64_t ms, base::parse_duration_ms(ttl));
  const std::int64_t now = base::system_clock().wall_ms();
  if (ms <= 0 || ms > std::numeric_limits<std::int64_t>::max() - now) {
    return Error(Code::invalid_argument, "--ttl " + base::quote(ttl) + " is out of range");
  }
  return now + ms;
}

std::string json_record(BytesView key, const BytesView* value, const RecordInfo& info) {
  std::string line = "{";
  append_json_bytes(line, "key", key);
  if (value != nullptr) {
    line += ',';
    append_json_bytes(line, "value", *value);
  }
  line += ",\"bytes\":" + std::to_string(info.value_bytes);
  line += ",\"version\":" + std::to_string(info.version.value);
  if (info.expires_ms != kNeverExpires) {
    line += ",\"expires_ms\":" + std::to_string(info.expires_ms);
  }
  return line + "}\n";
}

/// One line of `scan`.
void print_entry(const ScanEntry& entry, const ScanCommandOptions& options, bool json) {
  if (json) {
    print(stdout, json_record(entry.key, options.keys_only ? nullptr : &entry.value, entry.info));
    return;
  }
  std::string line;
  const auto add = [&](BytesView bytes) {
    if (options.form == Form::raw) {
      line += bytes;
    } else if (options.form == Form::hex) {
      line += base::hex_encode(bytes);
    } else {
      base::append_escaped(line, bytes, '\\');
    }
  };
  add(entry.key);
  if (!options.keys_only) {
    line += '\t';
    add(entry.value);
  }
  print(stdout, line + "\n");
}

Result<Range> range_of(Keyspace space, const ScanCommandOptions& options) {
  STRATA_LET(const Bytes prefix, bytes_of(options.prefix, options.form));
  STRATA_LET(const Bytes begin, bytes_of(options.begin, options.form));
  STRATA_LET(const Bytes end, bytes_of(options.end, options.form));
  Range range = Range::prefix(space, prefix);
  range.begin = std::max(range.begin, begin);
  if (!end.empty() && (range.end.empty() || end < range.end)) range.end = end;
  return range;
}

/// Of an engine without key order: prefix and limit only.
Result<> scan_unordered(Engine& engine, Keyspace space, const ScanCommandOptions& options,
                        bool json) {
  if (options.reverse || !options.begin.empty() || !options.end.empty()) {
    return Error(Code::not_supported,
                 "this store has no key order: --reverse, --begin and --end do not go with it");
  }
  STRATA_LET(const Bytes prefix, bytes_of(options.prefix, options.form));
  CursorOptions steps;
  steps.count = 64;
  steps.prefix = prefix;
  Bytes cursor;
  ScanPage page;
  Value value;
  std::uint64_t seen = 0;
  do {
    STRATA_TRY(engine.scan_some(space, cursor, steps, page));
    for (std::size_t i = 0; i < page.size(); ++i) {
      const ScanEntry entry = page[i];
      if (!entry.key.starts_with(prefix)) continue;
      // Values one by one, so that a page of large ones is never held.
      if (!options.keys_only) {
        STRATA_LET(const auto info, engine.get({space, entry.key}, value));
        if (!info) continue;
      }
      print_entry({entry.key, value.view(), entry.info}, options, json);
      if (++seen == options.limit) return {};
    }
  } while (!cursor.empty());
  return {};
}

}  // namespace

Result<ExitCode> run_get(Context& context, const RecordOptions& options) {
  STRATA_LET(const Bytes key, bytes_of(options.key, options.form));
  STRATA_LET(Place place, enter(context, options.keyspace, false));
  Value value;
  std::optional<RecordInfo> info;
  if (place.space) {
    STRATA_LET(info, place.store->engine().get({*place.space, key}, value));
  }
  if (!info) {
    complain("there is no key " + base::quote(key));
    return place.leave(ExitCode::not_found);
  }
  const BytesView view = value.view();
  if (context.common.json) {
    print(stdout, json_record(key, &view, *info));
  } else {
    print_value(view, options.form);
  }
  return place.leave(ExitCode::ok);
}

Result<ExitCode> run_put(Context& context, const RecordOptions& options) {
  STRATA_LET(const Bytes key, bytes_of(options.key, options.form));
  RecordAttributes attributes;
  STRATA_LET(attributes.expires_ms, expiry_of(options.ttl));
  Bytes value;
  if (options.value == "-") {
    STRATA_LET(value, read_stdin());
  } else {
    STRATA_LET(value, bytes_of(options.value, options.form));
  }
  STRATA_LET(Place place, enter(context, options.keyspace, true));
  STRATA_LET(const Version version,
             place.store->engine().put({*place.space, key}, value, attributes));
  if (context.common.json) {
    print(stdout, "{\"version\":" + std::to_string(version.value) + "}\n");
  }
  return place.leave(ExitCode::ok);
}

Result<ExitCode> run_del(Context& context, const RecordOptions& options) {
  STRATA_LET(Place place, enter(context, options.keyspace, false));
  std::uint64_t removed = 0;
  for (const std::string& argument : options.keys) {
    STRATA_LET(const Bytes key, bytes_of(argument, options.form));
    if (!place.space) continue;
    bool was_there = false;
    STRATA_TRY(place.store->engine().update(
        {*place.space, key}, [&](const Current& current, Update& update) -> Result<> {
          was_there = current.info.has_value();
          if (was_there) update.action = Update::Action::remove;
          return {};
        }));
    if (was_there) ++removed;
  }
  const std::string count = std::to_string(removed);
  print(stdout, context.common.json ? "{\"removed\":" + count + "}\n" : count + "\n");
  return place.leave(removed == 0 ? ExitCode::not_found : ExitCode::ok);
}

Result<ExitCode> run_exists(Context& context, const RecordOptions& options) {
  STRATA_LET(Place place, enter(context, options.keyspace, false));
  std::uint64_t there = 0;
  for (const std::string& argument : options.keys) {
    STRATA_LET(const Bytes key, bytes_of(argument, options.form));
    if (!place.space) continue;
    STRATA_LET(const bool exists, place.store->engine().exists({*place.space, key}));
    if (exists) ++there;
  }
  const std::string count = std::to_string(there);
  print(stdout, context.common.json ? "{\"exists\":" + count + "}\n" : count + "\n");
  return place.leave(there == options.keys.size() ? ExitCode::ok : ExitCode::not_found);
}

Result<ExitCode> run_scan(Context& context, const ScanCommandOptions& options) {
  STRATA_LET(Place place, enter(context, options.keyspace, false));
  if (!place.space) return place.leave(ExitCode::ok);
  Engine& engine = place.store->engine();
  auto* ordered = engine.as<Ordered>();
  if (ordered == nullptr) {
    STRATA_TRY(scan_unordered(engine, *place.space, options, context.common.json));
    return place.leave(ExitCode::ok);
  }
  STRATA_LET(const Range range, range_of(*place.space, options));
  ScanOptions scan;
  scan.reverse = options.reverse;
  scan.keys_only = options.keys_only;
  scan.limit = options.limit;
  STRATA_TRY(for_each(*ordered, range, scan, [&](const ScanEntry& entry) {
    print_entry(entry, options, context.common.json);
    return true;
  }));
  return place.leave(ExitCode::ok);
}

}  // namespace strata::cli
