#include "consistency/reference.h"

#include <algorithm>

#include "strata/batch.h"

namespace strata::consistency {

namespace {
constexpr std::int64_t kHourMs = 3'600'000;
}

void Reference::put(const Bytes& key, Bytes value, std::int64_t expires_ms) {
  entries_[key] = {std::make_shared<const Bytes>(std::move(value)), expires_ms};
}

void Reference::remove_range(const Bytes& begin, const Bytes& end) {
  if (begin >= end) return;
  entries_.erase(entries_.lower_bound(begin), entries_.lower_bound(end));
}

void Reference::patch(const Bytes& key, std::uint64_t offset, std::uint64_t erase, BytesView bytes,
                      std::int64_t now_ms) {
  Bytes value;
  std::int64_t expires_ms = kNeverExpires;
  if (presence(key, {now_ms, now_ms}) == Presence::present) {
    value = *entries_[key].value;
    expires_ms = entries_[key].expires_ms;
  }
  if (offset == WriteBatch::kAtEnd) offset = value.size();
  if (offset > value.size()) value.resize(offset, '\0');
  value.replace(offset, erase, bytes);
  put(key, std::move(value), expires_ms);
}

void Reference::expire(const Bytes& key, std::int64_t expires_ms, std::int64_t now_ms) {
  if (presence(key, {now_ms, now_ms}) == Presence::present) entries_[key].expires_ms = expires_ms;
}

Presence Reference::presence(const Entry& entry, Times times) {
  if (entry.expires_ms == kNeverExpires || entry.expires_ms > times.after_ms) {
    return Presence::present;
  }
  return entry.expires_ms <= times.before_ms ? Presence::absent : Presence::either;
}

Presence Reference::presence(const Bytes& key, Times times) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? Presence::absent : presence(found->second, times);
}

bool Reference::settled(const Bytes& key, std::int64_t now_ms) const {
  return presence(key, {now_ms, now_ms + kHourMs}) != Presence::either;
}

const Bytes* Reference::find(const Bytes& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second.value.get();
}

std::size_t Reference::count(std::int64_t now_ms) const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, [&](const auto& entry) {
    return presence(entry.second, {now_ms, now_ms}) == Presence::present;
  }));
}

std::int64_t Reference::next_expiry(std::int64_t now_ms) const {
  std::int64_t next_ms = kNeverExpires;
  for (const auto& [key, entry] : entries_) {
    if (entry.expires_ms == kNeverExpires || entry.expires_ms <= now_ms) continue;
    if (next_ms == kNeverExpires || entry.expires_ms < next_ms) next_ms = entry.expires_ms;
  }
  return next_ms;
}

void Reference::require_key(const View& found, const Bytes& key, Times times,
                            const std::string& what) const {
  const auto record = found.find(key);
  const Presence wanted = presence(key, times);
  if (record == found.end()) {
    if (wanted == Presence::present) throw Violation(what + " has lost " + brief(key));
    return;
  }
  if (wanted == Presence::absent) {
    throw Violation(what + " gives " + brief(key) +
                    ", which is gone: " + brief(record->second.value));
  }
  const Bytes& value = *find(key);
  if (record->second.value != value) {
    throw Violation(what + " gives " + brief(record->second.value) + " as " + brief(key) +
                    ", which is " + brief(value));
  }
}

void Reference::require(const View& found, Times times, const std::string& what) const {
  for (const auto& [key, entry] : entries_) require_key(found, key, times, what);
  for (const auto& [key, stored] : found) require_key(found, key, times, what);
}

void Reference::require(const View& found, std::span<const Bytes> keys, Times times,
                        const std::string& what) const {
  for (const Bytes& key : keys) require_key(found, key, times, what);
}

}  // namespace strata::consistency
