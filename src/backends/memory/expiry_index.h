// ExpiryIndex: which records expire when, for each keyspace.
//
//   per keyspace: a tree of (expires_ms, key) that knows ranks -> how many are due, in O(log n)
//   over all:     the earliest of each keyspace               -> what to sweep next, in O(log n)
//
// Always:  a keyspace stands in `heads_` with its earliest time, exactly if its tree has entries.
// Borrows: the keys, which must stay where they are until they are erased here.
// Threads: one writer or many readers; the engine's lock sees to it.
#pragma once

#include <cstdint>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "strata/record.h"

namespace strata::backends::memory {

class ExpiryIndex {
 public:
  void insert(const KeyRef& key, std::int64_t expires_ms);
  void erase(const KeyRef& key, std::int64_t expires_ms);
  /// Entries of a keyspace whose time has come.
  std::uint64_t due(Keyspace space, std::int64_t now_ms) const;
  /// One whose time has come, or nothing.
  std::optional<KeyRef> first_due(std::int64_t now_ms) const;

 private:
  using Entry = std::pair<std::int64_t, BytesView>;
  using Tree =
      __gnu_pbds::tree<Entry, __gnu_pbds::null_type, std::less<Entry>, __gnu_pbds::rb_tree_tag,
                       __gnu_pbds::tree_order_statistics_node_update>;

  std::map<Keyspace, Tree> trees_;
  std::set<std::pair<std::int64_t, Keyspace>> heads_;
};

}  // namespace strata::backends::memory
