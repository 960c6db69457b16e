// OrderedIndex: the keys of a store in order; a B+-tree in memory that holds keys and nothing else.
//
// Nodes are 1 KiB (ordered_node.h). Readers lock nothing: they note a node's version word, read,
// and look at the word again; writers lock the one to three nodes that they change. The root never
// moves: a full one hands its content down. An emptied leaf is unlinked at once, one that has
// become sparse is merged with its neighbour if that has room.
//
// Always:  an inner node's child i holds the keys in [key i, key i + 1), with key 0 as low as
//          can be; no child of an unlocked node is obsolete; all leaves are at level 0.
// Threads: any, inside an Epoch::Guard of the caller; load_sorted() and check_invariants() alone.
//          Locks are tried, never waited for, so that their order does not matter; insert() may be
//          called with the hash index's locks held.
// Owns:    its nodes and long keys. Borrows: epoch and budget; the budget must outlive the epoch,
//          which may keep retired nodes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/epoch.h"
#include "strata/bytes.h"
#include "strata/function_ref.h"
#include "strata/result.h"

namespace strata::backends::hybridlog {

class LongKey;
class NodePool;
class OrderedNode;
class OrderedPath;

/// Keys, one behind the other in one buffer that is used again. Threads: one at a time.
class KeyBlock {
 public:
  void clear() noexcept { truncate(0); }
  std::size_t size() const noexcept { return ends_.size(); }
  bool empty() const noexcept { return ends_.empty(); }
  /// Valid until the next change.
  BytesView operator[](std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return BytesView(bytes_).substr(begin, ends_[i] - begin);
  }
  /// Keeps the first `size` keys.
  void truncate(std::size_t size) noexcept {
    if (size >= ends_.size()) return;
    ends_.resize(size);
    bytes_.resize(size == 0 ? 0 : ends_.back());
  }
  /// Adds a key of so many bytes, which the caller writes there at once.
  char* add(std::size_t bytes) {
    const std::size_t begin = bytes_.size();
    // Not the size it is called with: g++ 12 passes the capacity.
    bytes_.resize_and_overwrite(begin + bytes, [=](char*, std::size_t) { return begin + bytes; });
    ends_.push_back(begin + bytes);
    return bytes_.data() + begin;
  }

 private:
  Bytes bytes_;
  std::vector<std::size_t> ends_;
};

class OrderedIndex {
 public:
  /// Of a key, in bytes: the contract's limit and the keyspace before it.
  static constexpr std::size_t kKeyBytesMax = 64 * 1024 + 4;

  /// Code::quota: the budget or the system has no room for the root.
  static Result<std::unique_ptr<OrderedIndex>> create(Epoch& epoch, MemoryBudget& budget);
  /// Nobody is inside any more.
  ~OrderedIndex();
  OrderedIndex(const OrderedIndex&) = delete;
  OrderedIndex& operator=(const OrderedIndex&) = delete;

  enum class Insert : std::uint8_t {
    inserted,
    present,   ///< it was there
    no_memory  ///< the same keys are there as before
  };
  Insert insert(BytesView key);
  /// True: it was there.
  bool erase(BytesView key);
  bool contains(BytesView key) const;

  struct Position {
    BytesView key;
    bool inclusive = true;  ///< with `key` itself
    bool from_end = false;  ///< in reverse: from the very end; `key` says nothing
  };
  /// Appends up to `max` keys to `out`: ascending from the first that is not before `from`, or in
  /// reverse descending from the last that is not behind it. Fewer only if there are no more. A key
  /// that is there throughout is not missed, and none comes twice. `from.key` does not lie in
  /// `out`.
  void collect(const Position& from, bool reverse, std::size_t max, KeyBlock& out) const;

  /// Inserts keys that ascend strictly and are all above what is here; `next` puts one into its
  /// argument, valid until the next call, or says false. Code::quota: no memory; what came before
  /// is in.
  Result<> load_sorted(FunctionRef<bool(BytesView& key)> next);

  /// Figures, exact only while nobody writes. bytes(): what was taken from the budget.
  std::uint64_t count() const noexcept;
  std::uint64_t bytes() const noexcept;

  void check_invariants() const;

 private:
  struct Separator;
  enum class Split : std::uint8_t { done, above, no_memory, raced };
  struct alignas(64) Count {
    std::atomic<std::int64_t> value{0};  // relaxed: a figure
  };
  static constexpr std::size_t kCounts = 16;

  OrderedIndex(Epoch& epoch, std::shared_ptr<NodePool> pool, OrderedNode* root);
  /// Splits a node of the path, or makes the tree higher, on the way to room for `key`.
  Split make_room(const OrderedPath& path, BytesView key);
  Split grow_root(const OrderedPath& path);
  /// `separator`: what is to go into the node; on `above` what is to go into its parent.
  Split split(const OrderedPath& path, std::size_t depth, Separator& separator);
  /// The leaf holds nothing but the key that is to go. False: raced, nothing changed.
  bool unlink(const OrderedPath& path);
  /// Of a leaf that has become sparse, if that is easily done.
  void merge_leaf(const OrderedPath& path);
  /// The children `first` and behind it of the leaf's parent become one, if they have room.
  bool merge(const OrderedPath& path, std::size_t first);
  void collapse_root();
  void retire(OrderedNode* node);
  void retire(LongKey* key);
  void count(std::int64_t more) noexcept;

  Epoch& epoch_;
  const std::shared_ptr<NodePool> pool_;  // shared with what is retired
  OrderedNode* const root_;
  Count counts_[kCounts];
};

}  // namespace strata::backends::hybridlog
