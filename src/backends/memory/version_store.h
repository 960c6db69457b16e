// VersionStore: every record with those of its old versions that a snapshot still needs.
//
//   key -> [ older: v3 v7 ] newest: v9        a newest without payload is a tombstone
//
//   live snapshots:   S5 { needs: (key, v3) }     S8 { needs: (key, v7) }
//
// An old version v that was followed by w is needed by the snapshots in [v, w); it hangs on the
// newest of them. When that one goes, its list becomes garbage, and reclaim() looks at a few
// entries of it at a time: each is handed to an older snapshot that needs it, or dropped. A
// tombstone stays while any snapshot is older than it, so that a transaction that reads there
// finds out that the key was written; its node hangs on a snapshot in the same way.
//
// Always:  versions in a chain rise; each member of `older` hangs on exactly one list; a node that
//          hangs on no list is a record, not a tombstone.
// Cost:    O(log n) a key. A chain is no longer than the snapshots that live, plus garbage.
// Threads: one writer or many readers; the engine's lock sees to it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "backends/memory/expiry_index.h"
#include "strata/bytes.h"
#include "strata/function_ref.h"
#include "strata/record.h"
#include "strata/scan.h"

namespace strata::backends::memory {

/// The bytes of a value, shared by versions, feed and readers; never changed.
using Payload = std::shared_ptr<const Bytes>;

/// One version of a record; without payload: that it was absent.
struct Revision {
  Version version;
  RecordAttributes attributes;  ///< of a tombstone that expiry made: expires_ms says when
  Payload payload;

  RecordInfo info() const { return {attributes, version, payload->size()}; }
};

struct Chain {
  std::vector<Revision> older;
  Revision newest;
  bool tracked = false;  ///< the node itself hangs on a list, on account of a tombstone
};

/// From where one looks: versions up to `version`, expiry judged at `time_ms`.
struct Sight {
  Version version;
  std::int64_t time_ms = 0;
};
inline constexpr Version kPresent{~std::uint64_t{0}};

struct StoredKey {
  Keyspace space{};
  Bytes key;
  KeyRef ref() const noexcept { return {space, key}; }
};

class VersionStore {
 public:
  /// The version of the last write.
  Version version() const noexcept { return {clock_}; }
  /// The version of the next one.
  Version next_version() noexcept { return {++clock_}; }
  /// Never back.
  void raise_version(Version version) noexcept;

  /// What is to be seen of a key, or null. Valid until the next write.
  const Revision* find(const KeyRef& key, Sight sight) const;
  /// All that is known of a key, or null.
  const Chain* chain(const KeyRef& key) const;
  static const Revision* visible(const Chain& chain, Sight sight) noexcept;
  /// Calls `visit` for every key that has a chain, in order, until it returns false.
  void walk(const Range& range, bool reverse,
            FunctionRef<bool(BytesView key, const Chain& chain)> visit) const;
  /// Whether a key is another than at a snapshot that is still held. One that expired before the
  /// snapshot's time, and was swept since, is the same: absent.
  bool changed(const KeyRef& key, Sight since) const;
  /// One such key of a range, or nothing; linear in the range.
  std::optional<Bytes> changed_in(const Range& range, Sight since) const;
  /// The first keyspace from `space` on that has any chain.
  std::optional<Keyspace> next_space(Keyspace space) const;
  /// Visible records of a keyspace at the present.
  std::uint64_t count(Keyspace space, std::int64_t now_ms) const;
  std::uint64_t count_users(std::int64_t now_ms) const;
  std::uint64_t bytes_live() const noexcept { return bytes_live_; }
  std::uint64_t old_versions() const noexcept { return old_versions_; }

  /// Makes `revision` (with a payload) the newest of its key.
  void put(const KeyRef& key, Revision revision);
  /// Makes a key absent; nothing happens if it is. `expired_ms` is the time if it was expiry.
  void remove(const KeyRef& key, Version version, std::int64_t expired_ms = kNeverExpires);
  /// Removes all keys in a range; linear in their number.
  void remove_range(const Range& range, Version version);
  void remove_all(Version version);
  /// A record whose time has come and that is still stored.
  std::optional<KeyRef> first_expired(std::int64_t now_ms) const {
    return expiry_.first_due(now_ms);
  }

  /// The present stays readable until as many release() of the same version.
  Version hold();
  void release(Version version);
  std::uint64_t snapshots() const noexcept { return holders_; }
  /// Looks at up to `entries` pieces of garbage; whether there is more.
  bool reclaim(std::size_t entries);

  /// Aborts if the structure contradicts itself; linear in it.
  void check_invariants() const;

 private:
  struct KeyLess {
    using is_transparent = void;
    static KeyRef ref(const StoredKey& key) noexcept { return key.ref(); }
    static KeyRef ref(const KeyRef& key) noexcept { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return ref(a) < ref(b);
    }
  };
  using Map = std::map<StoredKey, Chain, KeyLess>;
  /// A version of a chain that hangs on a list; version 0: the node with its tombstone.
  struct Retired {
    Map::iterator node;
    Version version;
  };
  struct Live {
    std::uint64_t holders = 0;
    std::vector<Retired> needs;
  };
  struct Bounds {
    Map::const_iterator begin;
    Map::const_iterator end;
  };

  Bounds bounds(const Range& range) const;
  void remove_node(Map::iterator node, Version version, std::int64_t expired_ms);
  /// Puts the newest revision aside if a snapshot needs it.
  void retire_newest(Map::iterator node);
  /// The newest snapshot below `version`, or null.
  Live* live_below(Version version, Version* found = nullptr);
  void reclaim_one(const Retired& entry);
  /// Keeps a tombstone's node while it is needed, erases it otherwise.
  void settle(Map::iterator node);
  void count_in(const StoredKey& key, const Revision& revision);
  void count_out(const StoredKey& key, const Revision& revision);

  std::uint64_t clock_ = 0;
  Map map_;
  ExpiryIndex expiry_;
  std::map<Keyspace, std::uint64_t> keys_;  // records whose newest is no tombstone
  std::uint64_t bytes_live_ = 0;
  std::uint64_t old_versions_ = 0;
  std::map<std::uint64_t, Live> live_;
  std::uint64_t holders_ = 0;
  std::deque<std::vector<Retired>> garbage_;
};

}  // namespace strata::backends::memory
