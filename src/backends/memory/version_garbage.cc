// How old versions and tombstones are kept for snapshots, and go when those have gone.
#include "backends/memory/version_store.h"
#include "base/check.h"

namespace strata::backends::memory {

Version VersionStore::hold() {
  ++live_[clock_].holders;
  ++holders_;
  return {clock_};
}

void VersionStore::release(Version version) {
  const auto live = live_.find(version.value);
  STRATA_CHECK(live != live_.end());
  --holders_;
  if (--live->second.holders != 0) return;
  if (!live->second.needs.empty()) garbage_.push_back(std::move(live->second.needs));
  live_.erase(live);
}

VersionStore::Live* VersionStore::live_below(Version version, Version* found) {
  auto live = live_.lower_bound(version.value);
  if (live == live_.begin()) return nullptr;
  --live;
  if (found != nullptr) *found = {live->first};
  return &live->second;
}

void VersionStore::retire_newest(Map::iterator node) {
  Chain& chain = node->second;
  // No snapshot is newer than the present, so any at or above this version needs it.
  if (live_.empty() || live_.rbegin()->first < chain.newest.version.value) return;
  live_.rbegin()->second.needs.push_back({node, chain.newest.version});
  chain.older.push_back(std::move(chain.newest));
  ++old_versions_;
}

bool VersionStore::reclaim(std::size_t entries) {
  for (; entries != 0 && !garbage_.empty(); --entries) {
    std::vector<Retired>& list = garbage_.front();
    const Retired entry = list.back();
    list.pop_back();
    if (list.empty()) garbage_.pop_front();
    reclaim_one(entry);
  }
  return !garbage_.empty();
}

void VersionStore::reclaim_one(const Retired& entry) {
  Chain& chain = entry.node->second;
  if (entry.version == Version{}) {
    chain.tracked = false;
    settle(entry.node);
    return;
  }
  std::size_t place = 0;
  while (chain.older[place].version != entry.version) ++place;
  const Version follower =
      place + 1 < chain.older.size() ? chain.older[place + 1].version : chain.newest.version;
  Version newest_below;
  Live* live = live_below(follower, &newest_below);
  if (live != nullptr && newest_below >= entry.version) {
    live->needs.push_back(entry);
    return;
  }
  chain.older.erase(chain.older.begin() + static_cast<std::ptrdiff_t>(place));
  --old_versions_;
  settle(entry.node);
}

void VersionStore::settle(Map::iterator node) {
  Chain& chain = node->second;
  if (chain.newest.payload != nullptr || chain.tracked) return;
  if (Live* live = live_below(chain.newest.version)) {
    live->needs.push_back({node, {}});
    chain.tracked = true;
  } else if (chain.older.empty()) {
    map_.erase(node);
  }
}

void VersionStore::check_invariants() const {
  std::map<Keyspace, std::uint64_t> keys;
  std::uint64_t hanging = 0;
  std::uint64_t old_versions = 0;
  std::uint64_t bytes = 0;
  for (const auto& [key, chain] : map_) {
    Version last;
    for (const Revision& older : chain.older) {
      STRATA_CHECK(older.version > last);
      last = older.version;
    }
    STRATA_CHECK(chain.newest.version > last);
    STRATA_CHECK(chain.newest.version <= version());
    STRATA_CHECK(chain.newest.payload != nullptr || chain.tracked || !chain.older.empty());
    hanging += chain.older.size() + (chain.tracked ? 1 : 0);
    old_versions += chain.older.size();
    if (chain.newest.payload == nullptr) continue;
    ++keys[key.space];
    bytes += key.key.size() + chain.newest.payload->size();
  }
  std::uint64_t listed = 0;
  for (const auto& [version, live] : live_) listed += live.needs.size();
  for (const auto& list : garbage_) listed += list.size();
  STRATA_CHECK(listed == hanging);
  STRATA_CHECK(old_versions == old_versions_);
  STRATA_CHECK(keys == keys_);
  STRATA_CHECK(bytes == bytes_live_);
}

}  // namespace strata::backends::memory
