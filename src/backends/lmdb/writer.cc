#include "backends/lmdb/writer.h"

#include <algorithm>

#include "base/coding.h"
#include "contract/patch.h"

namespace strata::backends::lmdb {

namespace {

constexpr BytesView kVersionKey = "version";
constexpr BytesView kCountPrefix = "count/";
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

bool live(const RecordAttributes& attributes, std::int64_t now_ms) {
  return attributes.expires_ms == kNeverExpires || attributes.expires_ms > now_ms;
}

Bytes count_key(Keyspace space) {
  Bytes key(kCountPrefix);
  base::put_u32_be(key, static_cast<std::uint32_t>(space));
  return key;
}

Bytes expiry_key(std::int64_t expires_ms, BytesView stored) {
  Bytes key;
  base::put_u64_be(key, static_cast<std::uint64_t>(expires_ms) ^ kSignBit);
  key.append(stored);
  return key;
}

struct Expiry {
  std::int64_t expires_ms;
  BytesView stored;
  Keyspace space;
};

Result<Expiry> parse_expiry(BytesView key) {
  base::Reader reader(key);
  const std::uint64_t time = reader.u64_be() ^ kSignBit;
  const BytesView stored = reader.rest();
  const std::uint32_t space = reader.u32_be();
  if (!reader.ok()) {
    return Error(Code::corruption, "lmdb: an entry of the expiry index is too short");
  }
  return Expiry{static_cast<std::int64_t>(time), stored, Keyspace{space}};
}

Result<std::uint64_t> number(const Transaction& txn, BytesView key) {
  STRATA_LET(const std::optional<BytesView> bytes, txn.get(txn.environment().meta(), key));
  if (!bytes) return 0;
  if (bytes->size() != 8) {
    return Error(Code::corruption, "lmdb: a number of the store's own has a wrong length");
  }
  return base::load_u64_le(bytes->data());
}

Result<> put_number(Transaction& txn, BytesView key, std::uint64_t number) {
  char bytes[8];
  base::store_u64_le(bytes, number);
  return txn.put(txn.environment().meta(), key, BytesView(bytes, sizeof(bytes)));
}

}  // namespace

Result<Version> stored_version(const Transaction& txn) {
  STRATA_LET(const std::uint64_t version, number(txn, kVersionKey));
  return Version{version};
}

Result<std::uint64_t> stored_count(const Transaction& txn, Keyspace space) {
  return number(txn, count_key(space));
}

Result<std::uint64_t> stored_count_of_users(const Transaction& txn) {
  STRATA_LET(Cursor cursor, Cursor::open(txn, txn.environment().meta()));
  std::uint64_t sum = 0;
  STRATA_LET(bool any, cursor.seek(count_key(kFirstUserKeyspace)));
  while (any && cursor.key().starts_with(kCountPrefix)) {
    STRATA_LET(const std::uint64_t count, number(txn, cursor.key()));
    sum += count;
    STRATA_LET(any, cursor.next());
  }
  return sum;
}

Result<std::uint64_t> stored_expired(const Transaction& txn, std::int64_t now_ms,
                                     std::optional<Keyspace> space) {
  STRATA_LET(Cursor cursor, Cursor::open(txn, txn.environment().expiries()));
  std::uint64_t count = 0;
  STRATA_LET(bool any, cursor.first());
  while (any) {
    STRATA_LET(const Expiry expiry, parse_expiry(cursor.key()));
    if (expiry.expires_ms > now_ms) break;
    if (space ? expiry.space == *space : expiry.space >= kFirstUserKeyspace) ++count;
    STRATA_LET(any, cursor.next());
  }
  return count;
}

Result<bool> any_expired(const Transaction& txn, std::int64_t now_ms) {
  STRATA_LET(Cursor cursor, Cursor::open(txn, txn.environment().expiries()));
  STRATA_LET(const bool any, cursor.first());
  if (!any) return false;
  STRATA_LET(const Expiry first, parse_expiry(cursor.key()));
  return first.expires_ms <= now_ms;
}

Result<Writer> Writer::begin(MapEnvironment& environment) {
  STRATA_LET(Transaction txn, Transaction::begin_write(environment));
  Writer writer(std::move(txn));
  STRATA_LET(writer.version_, stored_version(writer.txn_));
  return writer;
}

void Writer::raise_version(Version at_least) { version_ = std::max(version_, at_least); }

Result<Commit> Writer::apply(const WriteBatch& batch, std::int64_t now_ms,
                             std::uint64_t value_bytes_max) {
  Commit done;
  for (std::size_t i = 0; i < batch.conditions().size(); ++i) {
    STRATA_LET(const bool good, holds(batch.conditions()[i], now_ms));
    if (good) continue;
    done.failed = i;
    return done;
  }
  if (!batch.effects().empty()) ++version_.value;
  done.version = version_;
  for (const Effect& effect : batch.effects()) {
    STRATA_TRY(apply_effect(effect, version_, now_ms, value_bytes_max));
  }
  touched_bytes_ += batch.bytes() + batch.effects().size() * ResidentPages::kTouchedByChange;
  return done;
}

Result<bool> Writer::holds(const Condition& condition, std::int64_t now_ms) const {
  STRATA_LET(const std::optional<codec::RecordView> record, find_record(txn_, condition.key));
  const bool present = record && live(record->info, now_ms);
  switch (condition.kind) {
    case ConditionKind::absent:
      return !present;
    case ConditionKind::present:
      return present;
    case ConditionKind::unchanged:
      return condition.version == (present ? record->info.version : Version{});
  }
  return false;
}

Result<> Writer::apply_effect(const Effect& effect, Version version, std::int64_t now_ms,
                              std::uint64_t value_bytes_max) {
  switch (effect.kind) {
    case EffectKind::put:
      return put(effect.key, effect.attributes, effect.value, version);
    case EffectKind::remove:
      return remove(effect.key);
    case EffectKind::patch:
      return patch(effect, version, now_ms, value_bytes_max);
    case EffectKind::expire:
      return expire(effect, version, now_ms);
    case EffectKind::delete_range:
      return remove_range(effect);
  }
  return {};
}

Result<> Writer::put(const KeyRef& key, const RecordAttributes& attributes, BytesView value,
                     Version version) {
  STRATA_LET(const std::optional<codec::RecordView> before, find_record(txn_, key));
  const std::int64_t expired_ms = before ? before->info.expires_ms : kNeverExpires;
  if (!before) ++changes_[key.space];
  if (expired_ms != attributes.expires_ms) {
    const codec::PhysicalKey physical(key);
    const Bytes stored = kLongKeys.stored(physical.view());
    const unsigned expiries = txn_.environment().expiries();
    if (expired_ms != kNeverExpires) {
      STRATA_TRY(txn_.remove(expiries, expiry_key(expired_ms, stored)));
    }
    if (attributes.expires_ms != kNeverExpires) {
      STRATA_TRY(txn_.put(expiries, expiry_key(attributes.expires_ms, stored), {}));
    }
  }
  return write_record(txn_, key, attributes, version, value);
}

Result<> Writer::remove(const KeyRef& key) {
  STRATA_LET(const std::optional<codec::RecordView> before, find_record(txn_, key));
  if (!before) return {};
  const codec::PhysicalKey physical(key);
  return remove_stored(kLongKeys.stored(physical.view()), key.space, before->info.expires_ms);
}

Result<> Writer::remove_stored(BytesView stored, Keyspace space, std::int64_t expires_ms) {
  STRATA_TRY(txn_.remove(txn_.environment().records(), stored));
  if (expires_ms != kNeverExpires) {
    STRATA_TRY(txn_.remove(txn_.environment().expiries(), expiry_key(expires_ms, stored)));
  }
  --changes_[space];
  return {};
}

Result<> Writer::patch(const Effect& effect, Version version, std::int64_t now_ms,
                       std::uint64_t value_bytes_max) {
  STRATA_LET(const std::optional<codec::RecordView> record, find_record(txn_, effect.key));
  const bool present = record && live(record->info, now_ms);
  STRATA_LET(const Bytes after,
             contract::apply_patch(present ? record->value : BytesView{},
                                   contract::Patch::of(effect), value_bytes_max));
  return put(effect.key, present ? RecordAttributes(record->info) : RecordAttributes(), after,
             version);
}

Result<> Writer::expire(const Effect& effect, Version version, std::int64_t now_ms) {
  STRATA_LET(const std::optional<codec::RecordView> record, find_record(txn_, effect.key));
  if (!record || !live(record->info, now_ms)) return {};
  RecordAttributes attributes = record->info;
  attributes.expires_ms = effect.attributes.expires_ms;
  const Bytes value(record->value);  // the map may move under it
  return put(effect.key, attributes, value, version);
}

// In steps: what is found is kept and then removed, since a removal moves what the walk stands on.
Result<> Writer::remove_range(const Effect& effect) {
  constexpr std::size_t kStep = 256;
  Span span{{}, codec::physical_end(effect.key.space, effect.value)};
  codec::put_physical_key(span.begin, effect.key);
  struct Doomed {
    Bytes stored;
    std::int64_t expires_ms;
  };
  std::vector<Doomed> doomed;
  do {
    doomed.clear();
    STRATA_TRY(walk(txn_, span, false, kStep, [&](const Found& found) -> Result<bool> {
      doomed.push_back({Bytes(found.stored), found.record.info.expires_ms});
      span.begin.assign(found.physical);
      return doomed.size() < kStep;
    }));
    for (const Doomed& one : doomed) {
      STRATA_TRY(remove_stored(one.stored, effect.key.space, one.expires_ms));
    }
  } while (doomed.size() == kStep);
  return {};
}

Result<std::uint64_t> Writer::sweep(std::uint32_t records, std::int64_t now_ms, bool& more) {
  std::uint64_t swept = 0;
  more = false;
  STRATA_LET(Cursor cursor, Cursor::open(txn_, txn_.environment().expiries()));
  while (true) {
    STRATA_LET(const bool any, cursor.first());
    if (!any) return swept;
    STRATA_LET(const Expiry expiry, parse_expiry(cursor.key()));
    if (expiry.expires_ms > now_ms) return swept;
    more = swept == records;
    if (more) return swept;
    const Bytes stored(expiry.stored);
    STRATA_TRY(remove_stored(stored, expiry.space, expiry.expires_ms));
    ++swept;
  }
}

Result<> Writer::commit() {
  for (const auto& [space, change] : changes_) {
    if (change == 0) continue;
    STRATA_LET(const std::uint64_t before, stored_count(txn_, space));
    const std::uint64_t after = before + static_cast<std::uint64_t>(change);
    STRATA_TRY(put_number(txn_, count_key(space), after));
  }
  STRATA_TRY(put_number(txn_, kVersionKey, version_.value));
  STRATA_TRY(txn_.commit());
  txn_.environment().resident().touched(touched_bytes_);
  return {};
}

}  // namespace strata::backends::lmdb
