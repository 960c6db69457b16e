#include "backends/hybridlog/expirer.h"

#include <algorithm>
#include <vector>

namespace strata::backends::hybridlog {

Result<std::optional<Expirer::Named>> Expirer::name_of(const ExpiryQueue::Entry& entry) {
  Named named;
  {
    const Epoch::Guard guard(parts_.epoch);
    if (entry.address.value >= parts_.log.head()) {
      const char* const at = parts_.log.at(entry.address);
      copy_key(at, named.key);
      named.version = load_head(at).version();
      return std::optional(std::move(named));
    }
  }
  // Where there is nothing, compaction has taken it elsewhere, with an entry of its own.
  if (!parts_.log.on_disk()) return std::optional<Named>();
  STRATA_LET(const std::optional<Bytes> record, reader_.cold_record(entry.address));
  if (!record) return std::optional<Named>();
  const std::optional<RecordBounds> bounds = bounds_of(*record);
  if (!bounds) return std::optional<Named>();
  named.key = record->substr(bounds->key_at, bounds->key_bytes);
  named.version = bounds->head.version();
  return std::optional(std::move(named));
}

Result<Writer::Expired> Expirer::remove_one(const ExpiryQueue::Entry& entry, Writer::Room room) {
  STRATA_LET(const std::optional<Named> named, name_of(entry));
  if (!named) return Writer::Expired::not_expired;
  return writer_.expire(named->key, room);
}

Result<Expirer::Swept> Expirer::sweep(std::size_t max) {
  if (!anything_due()) return Swept{};
  const base::MutexLock lock(mutex_);
  return sweep_locked(max, Writer::Room::waited_for);
}

Result<Expirer::Swept> Expirer::sweep_at_once(std::size_t max) {
  if (!anything_due() || !mutex_.try_lock()) return Swept{};
  Result<Swept> swept = sweep_locked(max, Writer::Room::if_there);
  mutex_.unlock();
  return swept;
}

bool Expirer::anything_due() const {
  return parts_.expiry.count() != 0 && parts_.expiry.may_be_due(parts_.time.wall_ms());
}

Result<Expirer::Swept> Expirer::sweep_locked(std::size_t max, Writer::Room room) {
  Swept swept;
  const std::int64_t now_ms = parts_.time.wall_ms();
  std::vector<ExpiryQueue::Entry> due;
  parts_.expiry.take_due(now_ms, max, due);
  for (; swept.looked_at < due.size(); ++swept.looked_at) {
    const Result<Writer::Expired> expired = remove_one(due[swept.looked_at], room);
    if (!expired || *expired == Writer::Expired::no_room) {
      for (std::size_t left = swept.looked_at; left < due.size(); ++left) {
        parts_.expiry.add(now_ms, due[left]);
      }
      if (!expired) return expired.error();
      break;
    }
    if (*expired == Writer::Expired::removed) ++swept.removed;
  }
  return swept;
}

Result<std::uint64_t> Expirer::count_alive(std::optional<Keyspace> space) {
  const auto stored = [&] {
    return space ? parts_.counts.count(*space) : parts_.counts.count_users();
  };
  if (!parts_.expiry.used()) return stored();
  const base::MutexLock lock(mutex_);
  STRATA_LET(const std::uint64_t expired, count_expired(space));
  const std::uint64_t all = stored();
  return all - std::min(all, expired);
}

Result<std::uint64_t> Expirer::count_expired(std::optional<Keyspace> space) {
  const std::int64_t now_ms = parts_.time.wall_ms();
  std::vector<ExpiryQueue::Entry> due;
  parts_.expiry.copy_due(now_ms, due);
  std::erase_if(due, [&](const ExpiryQueue::Entry& each) {
    return space ? each.space != *space : each.space < kFirstUserKeyspace;
  });
  // A record that was changed in place has several.
  std::ranges::sort(due, {}, &ExpiryQueue::Entry::address);
  const auto twice = std::ranges::unique(due, {}, &ExpiryQueue::Entry::address);
  due.erase(twice.begin(), twice.end());
  std::uint64_t expired = 0;
  Newest newest;
  for (const ExpiryQueue::Entry& each : due) {
    STRATA_LET(const std::optional<Named> named, name_of(each));
    if (!named) continue;
    const KeyView key = KeyView::of_physical(named->key, parts_.seed);
    STRATA_TRY(reader_.newest(key, false, newest));
    if (newest.there && !newest.tombstone && newest.version == named->version &&
        !is_alive(newest, now_ms)) {
      ++expired;
    }
  }
  return expired;
}

}  // namespace strata::backends::hybridlog
