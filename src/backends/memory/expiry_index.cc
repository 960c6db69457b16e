// Keeps the heads in step with the trees.
#include "backends/memory/expiry_index.h"

#include "base/check.h"

namespace strata::backends::memory {

void ExpiryIndex::insert(const KeyRef& key, std::int64_t expires_ms) {
  Tree& tree = trees_[key.space];
  if (!tree.empty()) heads_.erase({tree.begin()->first, key.space});
  const bool inserted = tree.insert(Entry{expires_ms, key.key}).second;
  STRATA_CHECK(inserted);
  heads_.insert({tree.begin()->first, key.space});
}

void ExpiryIndex::erase(const KeyRef& key, std::int64_t expires_ms) {
  const auto found = trees_.find(key.space);
  STRATA_CHECK(found != trees_.end());
  Tree& tree = found->second;
  heads_.erase({tree.begin()->first, key.space});
  const bool erased = tree.erase(Entry{expires_ms, key.key});
  STRATA_CHECK(erased);
  if (tree.empty()) {
    trees_.erase(found);
  } else {
    heads_.insert({tree.begin()->first, key.space});
  }
}

std::uint64_t ExpiryIndex::due(Keyspace space, std::int64_t now_ms) const {
  const auto found = trees_.find(space);
  if (found == trees_.end()) return 0;
  // Due is what expires up to now: all that sorts before the first instant after it.
  if (now_ms == INT64_MAX) return found->second.size();
  return found->second.order_of_key(Entry{now_ms + 1, BytesView{}});
}

std::optional<KeyRef> ExpiryIndex::first_due(std::int64_t now_ms) const {
  if (heads_.empty() || heads_.begin()->first > now_ms) return std::nullopt;
  const Keyspace space = heads_.begin()->second;
  return KeyRef{space, trees_.find(space)->second.begin()->second};
}

}  // namespace strata::backends::memory
