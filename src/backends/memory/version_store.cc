// Chains and their reading; what happens to old versions stands in version_garbage.cc.
#include "backends/memory/version_store.h"

#include <algorithm>

#include "base/check.h"

namespace strata::backends::memory {

namespace {

bool alive(const Revision& revision, std::int64_t time_ms) noexcept {
  const std::int64_t expires_ms = revision.attributes.expires_ms;
  return revision.payload != nullptr && (expires_ms == kNeverExpires || expires_ms > time_ms);
}

}  // namespace

void VersionStore::raise_version(Version version) noexcept {
  clock_ = std::max(clock_, version.value);
}

const Revision* VersionStore::visible(const Chain& chain, Sight sight) noexcept {
  const Revision* found = nullptr;
  if (chain.newest.version <= sight.version) {
    found = &chain.newest;
  } else {
    for (auto older = chain.older.rbegin(); older != chain.older.rend(); ++older) {
      if (older->version > sight.version) continue;
      found = &*older;
      break;
    }
  }
  return found != nullptr && alive(*found, sight.time_ms) ? found : nullptr;
}

const Chain* VersionStore::chain(const KeyRef& key) const {
  const auto found = map_.find(key);
  return found == map_.end() ? nullptr : &found->second;
}

const Revision* VersionStore::find(const KeyRef& key, Sight sight) const {
  const Chain* found = chain(key);
  return found == nullptr ? nullptr : visible(*found, sight);
}

VersionStore::Bounds VersionStore::bounds(const Range& range) const {
  if (!range.end.empty() && range.end <= range.begin) return {map_.end(), map_.end()};
  const auto begin = map_.lower_bound(KeyRef{range.space, range.begin});
  if (!range.end.empty()) return {begin, map_.lower_bound(KeyRef{range.space, range.end})};
  const auto number = static_cast<std::uint32_t>(range.space);
  if (number == UINT32_MAX) return {begin, map_.end()};
  return {begin, map_.lower_bound(KeyRef{Keyspace{number + 1}, BytesView{}})};
}

void VersionStore::walk(const Range& range, bool reverse,
                        FunctionRef<bool(BytesView key, const Chain& chain)> visit) const {
  auto [begin, end] = bounds(range);
  while (begin != end) {
    const auto at = reverse ? --end : begin++;
    if (!visit(at->first.key, at->second)) return;
  }
}

namespace {

bool chain_changed(const Chain& chain, Sight since) noexcept {
  if (chain.newest.version <= since.version) return false;
  const bool swept =
      chain.newest.payload == nullptr && chain.newest.attributes.expires_ms != kNeverExpires;
  return !swept || VersionStore::visible(chain, since) != nullptr;
}

}  // namespace

bool VersionStore::changed(const KeyRef& key, Sight since) const {
  const Chain* found = chain(key);
  return found != nullptr && chain_changed(*found, since);
}

std::optional<Bytes> VersionStore::changed_in(const Range& range, Sight since) const {
  std::optional<Bytes> changed;
  walk(range, false, [&](BytesView key, const Chain& chain) {
    if (chain_changed(chain, since)) changed = key;
    return !changed.has_value();
  });
  return changed;
}

std::optional<Keyspace> VersionStore::next_space(Keyspace space) const {
  const auto found = map_.lower_bound(KeyRef{space, BytesView{}});
  if (found == map_.end()) return std::nullopt;
  return found->first.space;
}

std::uint64_t VersionStore::count(Keyspace space, std::int64_t now_ms) const {
  const auto found = keys_.find(space);
  return found == keys_.end() ? 0 : found->second - expiry_.due(space, now_ms);
}

std::uint64_t VersionStore::count_users(std::int64_t now_ms) const {
  std::uint64_t sum = 0;
  for (auto space = keys_.lower_bound(kFirstUserKeyspace); space != keys_.end(); ++space) {
    sum += space->second - expiry_.due(space->first, now_ms);
  }
  return sum;
}

void VersionStore::count_in(const StoredKey& key, const Revision& revision) {
  ++keys_[key.space];
  bytes_live_ += key.key.size() + revision.payload->size();
  if (revision.attributes.expires_ms != kNeverExpires) {
    expiry_.insert(key.ref(), revision.attributes.expires_ms);
  }
}

void VersionStore::count_out(const StoredKey& key, const Revision& revision) {
  const auto keys = keys_.find(key.space);
  if (--keys->second == 0) keys_.erase(keys);
  bytes_live_ -= key.key.size() + revision.payload->size();
  if (revision.attributes.expires_ms != kNeverExpires) {
    expiry_.erase(key.ref(), revision.attributes.expires_ms);
  }
}

void VersionStore::put(const KeyRef& key, Revision revision) {
  STRATA_CHECK(revision.payload != nullptr);
  auto node = map_.find(key);
  if (node == map_.end()) {
    node = map_.emplace(StoredKey{key.space, Bytes(key.key)}, Chain{}).first;
  } else {
    if (node->second.newest.payload != nullptr) count_out(node->first, node->second.newest);
    retire_newest(node);
  }
  node->second.newest = std::move(revision);
  count_in(node->first, node->second.newest);
}

void VersionStore::remove(const KeyRef& key, Version version, std::int64_t expired_ms) {
  const auto node = map_.find(key);
  if (node != map_.end()) remove_node(node, version, expired_ms);
}

void VersionStore::remove_range(const Range& range, Version version) {
  const auto [begin, end] = bounds(range);
  auto node = map_.erase(begin, begin);  // the same place, as an iterator that may write
  while (node != end) remove_node(node++, version, kNeverExpires);
}

void VersionStore::remove_all(Version version) {
  for (auto node = map_.begin(); node != map_.end();) remove_node(node++, version, kNeverExpires);
}

void VersionStore::remove_node(Map::iterator node, Version version, std::int64_t expired_ms) {
  Chain& chain = node->second;
  if (chain.newest.payload == nullptr) return;
  count_out(node->first, chain.newest);
  retire_newest(node);
  chain.newest = Revision{version, {}, nullptr};
  chain.newest.attributes.expires_ms = expired_ms;
  settle(node);
}

}  // namespace strata::backends::memory
