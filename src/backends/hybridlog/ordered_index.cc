#include "backends/hybridlog/ordered_index.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/hybridlog/node_pool.h"
#include "backends/hybridlog/ordered_node.h"
#include "backends/hybridlog/ordered_path.h"
#include "base/check.h"
#include "base/thread_index.h"

namespace strata::backends::hybridlog {
namespace {

constexpr std::uint8_t kAppendRun = 4;     // so many keys in a row behind all others: they ascend
constexpr std::size_t kSparseBytes = 256;  // a leaf with less looks for a neighbour with room
constexpr std::size_t kMergedBytesMax = 704;  // room is left, so that it is not split again at once

std::size_t used_bytes(const OrderedNode& node) noexcept { return node.head().used(); }

}  // namespace

/// A key that separates two nodes, apart from the nodes.
struct OrderedIndex::Separator {
  void set(BytesView of) noexcept {
    key = of;
    if (of.size() > sizeof inline_bytes) return;  // a long key, or a part of one, which stays
    std::memmove(inline_bytes, of.data(), of.size());
    key = {inline_bytes, of.size()};
  }
  BytesView key;
  char inline_bytes[kInlineKeyBytesMax];
};

Result<std::unique_ptr<OrderedIndex>> OrderedIndex::create(Epoch& epoch, MemoryBudget& budget) {
  auto pool = std::make_shared<NodePool>(budget);
  OrderedNode* const root = pool->take();
  if (root == nullptr) {
    return Error(Code::quota, "hybridlog: no memory for the ordered index");
  }
  STRATA_CHECK(root->build(0, {}, {}, 0));
  return std::unique_ptr<OrderedIndex>(new OrderedIndex(epoch, std::move(pool), root));
}

OrderedIndex::OrderedIndex(Epoch& epoch, std::shared_ptr<NodePool> pool, OrderedNode* root)
    : epoch_(epoch), pool_(std::move(pool)), root_(root) {}

OrderedIndex::~OrderedIndex() {
  // Nodes go with the pool; long keys do not.
  const auto free_below = [this](const auto& self, const OrderedNode& node) -> void {
    const NodeHead head = node.head();
    for (std::size_t i = 0; i < head.count; ++i) {
      pool_->free_long(OrderedNode::long_key(node.data(), OrderedNode::slot(node.data(), head, i)));
      if (head.level != 0) self(self, *node.child(head, i));
    }
  };
  free_below(free_below, *root_);
}

// --- reading -------------------------------------------------------------------------------------

bool OrderedIndex::contains(BytesView key) const {
  OrderedPath path;
  path.find(*root_, key);
  return path.found();
}

void OrderedIndex::collect(const Position& from, bool reverse, std::size_t max,
                           KeyBlock& out) const {
  const std::size_t begin = out.size();
  OrderedPath path;
  alignas(8) char data[kNodeDataBytes];
  for (Spin spin; out.size() - begin < max; spin.wait()) {
    // From the beginning, or from where a leaf was changed while we were at it.
    const bool started = out.size() != begin;
    const Position position = started ? Position{out[out.size() - 1], false, false} : from;
    const bool at_end = reverse && position.from_end;
    if (at_end) {
      path.find_edge(*root_, true);
    } else {
      path.find(*root_, position.key);
    }
    bool first = !at_end;
    auto next = OrderedPath::Next::there;
    while (next == OrderedPath::Next::there) {
      const OrderedPath::Step& leaf = path.leaf();
      load_words(data, leaf.node->data(), kNodeDataBytes);
      if (!leaf.node->unchanged(leaf.version)) break;
      // All of the leaf, or what is on the right side of the position.
      const NodeHead head = OrderedNode::head(data);
      std::size_t low = 0;
      std::size_t high = head.count;
      if (first) {
        const bool itself = path.found() && position.inclusive;
        if (reverse) {
          high = leaf.at + (itself ? 1 : 0);
        } else {
          low = leaf.at + (path.found() && !itself ? 1 : 0);
        }
        first = false;
      }
      const std::size_t count = std::min(high - low, max - (out.size() - begin));
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = reverse ? high - 1 - i : low + i;
        OrderedNode::copy_key(data, head, at, out.add(OrderedNode::key_bytes(data, head, at)));
      }
      if (out.size() - begin == max) return;
      next = path.go_on(reverse);
    }
    if (next == OrderedPath::Next::none) return;
  }
}

// --- inserting -----------------------------------------------------------------------------------

OrderedIndex::Insert OrderedIndex::insert(BytesView key) {
  STRATA_DCHECK(key.size() <= kKeyBytesMax);
  LongKey* long_key = nullptr;
  OrderedPath path;
  for (Spin spin;; spin.wait()) {
    path.find(*root_, key);
    if (path.found()) {
      pool_->free_long(long_key);
      return Insert::present;
    }
    if (key.size() > kInlineKeyBytesMax && long_key == nullptr) {
      long_key = pool_->make_long(key);
      if (long_key == nullptr) return Insert::no_memory;
    }
    const OrderedPath::Step& leaf = path.leaf();
    if (!leaf.node->try_lock(leaf.version)) continue;
    if (leaf.node->insert(leaf.at, {key, long_key, nullptr})) {
      leaf.node->unlock();
      count(1);
      return Insert::inserted;
    }
    leaf.node->unlock_untouched();
    if (make_room(path, key) == Split::no_memory) {
      pool_->free_long(long_key);
      return Insert::no_memory;
    }
  }
}

OrderedIndex::Split OrderedIndex::make_room(const OrderedPath& path, BytesView key) {
  Separator separator;
  separator.key = key;
  // From the leaf upwards to the first node whose parent has room for one more.
  for (std::size_t depth = path.depth(); depth > 0; --depth) {
    const Split split = this->split(path, depth, separator);
    if (split != Split::above) return split;
  }
  return grow_root(path);
}

OrderedIndex::Split OrderedIndex::grow_root(const OrderedPath& path) {
  OrderedNode* const child = pool_->take();
  if (child == nullptr) return Split::no_memory;
  const OrderedPath::Step& root = path[0];
  if (!root.node->try_lock(root.version)) {
    pool_->give(child);
    return Split::raced;
  }
  child->take_content_of(*root_);
  const NodeItem item{{}, nullptr, child};
  STRATA_CHECK(root_->build(static_cast<std::uint8_t>(root.head.level + 1), {&item, 1}, {}, 0));
  root_->unlock();
  return Split::done;
}

namespace {

/// How many of the items stay on the left. `at`: where one more is to go, which has the prefix or
/// not; if not it is below or above all of them.
std::size_t split_at(const NodeHead& head, std::span<const NodeItem> items, std::size_t at,
                     bool has_prefix) noexcept {
  const std::size_t count = items.size();
  // In a leaf, one side may be empty; in an inner node it gets the child that is split.
  const std::size_t low = head.level == 0 ? 0 : 1;
  const std::size_t high = head.level == 0 ? count : count - 1;
  if (!has_prefix) return at <= low ? low : high;
  if (at == count && head.appends >= kAppendRun) return high;
  const auto bytes = [](const NodeItem& item) {
    return 8 + std::min(item.key.size(), kInlineKeyBytesMax);
  };
  std::size_t all = 0;
  for (const NodeItem& item : items) all += bytes(item);
  std::size_t left = 0;
  std::size_t split = 0;
  while (split + 1 < count && (left < all / 2 || split == 0)) left += bytes(items[split++]);
  return split;
}

}  // namespace

OrderedIndex::Split OrderedIndex::split(const OrderedPath& path, std::size_t depth,
                                        Separator& separator) {
  const OrderedPath::Step& parent = path[depth - 1];
  const OrderedPath::Step& step = path[depth];
  OrderedNode& left = *step.node;
  OrderedNode* const right = pool_->take();
  if (right == nullptr) return Split::no_memory;
  LongKey* new_long = nullptr;
  const auto give_up = [&](Split why) {
    pool_->give(right);
    pool_->free_long(new_long);
    return why;
  };
  if (!parent.node->try_lock(parent.version)) return give_up(Split::raced);
  if (!left.try_lock(step.version)) {
    parent.node->unlock_untouched();
    return give_up(Split::raced);
  }
  const auto unlock_and_give_up = [&](Split why) {
    left.unlock_untouched();
    parent.node->unlock_untouched();
    return give_up(why);
  };

  const NodeHead head = step.head;
  const bool leaf = head.level == 0;
  const BytesView pending = separator.key;
  const NodeItems all(left);
  const std::span<const NodeItem> items = all.all();
  const BytesView prefix = OrderedNode::prefix(left.data(), head);
  const std::size_t at = leaf ? step.at : step.at + 1;
  const std::size_t split = split_at(head, items, at, pending.starts_with(prefix));

  NodeItem up{{}, nullptr, right};
  if (leaf) {
    up.key = shortest_between(split > 0 ? items[split - 1].key : pending,
                              split < items.size() ? items[split].key : pending);
    if (up.key.size() > kInlineKeyBytesMax) {
      new_long = pool_->make_long(up.key);
      if (new_long == nullptr) return unlock_and_give_up(Split::no_memory);
      up.long_key = new_long;
    }
  } else {
    up.key = items[split].key;
    up.long_key = items[split].long_key;
  }
  // A long key is in the index or the caller's, and stays while we are inside the guard.
  if (!parent.node->insert(parent.at + 1, up)) {
    separator.set(up.key);
    return unlock_and_give_up(Split::above);
  }
  const BytesView fresh_prefix = [&] {
    // Of a leaf that begins empty, for the pending key and those that may follow it.
    const BytesView next = split == 0 ? items.front().key : items.back().key;
    return pending.substr(0, std::min(common_bytes(pending, next), kPrefixBytesMax));
  }();
  const std::uint8_t appends = at == items.size() ? head.appends : 0;
  if (split == items.size()) {
    STRATA_CHECK(right->build(head.level, {}, fresh_prefix, appends));
  } else {
    right->build_subset(head.level, items.subspan(split), prefix, appends);
    if (split == 0) {
      STRATA_CHECK(left.build(head.level, {}, fresh_prefix, 0));
    } else {
      left.build_subset(head.level, items.first(split), prefix, 0);
    }
  }
  left.unlock();
  parent.node->unlock();
  return Split::done;
}

Result<> OrderedIndex::load_sorted(FunctionRef<bool(BytesView& key)> next) {
  OrderedPath path;
  BytesView key;
  bool at_end = false;  // the path leads to the last leaf
  std::uint64_t loaded = 0;
  bool memory = true;
  while (memory && next(key)) {
    if (!at_end) {
      path.find_edge(*root_, true);
      at_end = true;
    }
    if (key.size() <= kInlineKeyBytesMax) {
      OrderedNode& leaf = *path.leaf().node;
      NodeSpot spot;
      OrderedNode::find(leaf.data(), leaf.head(), key, spot, [] { return true; });
      STRATA_CHECK(spot.at == leaf.head().count);
      if (leaf.insert(spot.at, {key, nullptr, nullptr})) {
        ++loaded;
        continue;
      }
    }
    at_end = false;
    const Insert inserted = insert(key);
    STRATA_CHECK(inserted != Insert::present);
    memory = inserted == Insert::inserted;
  }
  count(static_cast<std::int64_t>(loaded));
  if (!memory) return Error(Code::quota, "hybridlog: no memory for the ordered index");
  return {};
}

// --- erasing -------------------------------------------------------------------------------------

bool OrderedIndex::erase(BytesView key) {
  OrderedPath path;
  for (Spin spin;; spin.wait()) {
    path.find(*root_, key);
    if (!path.found()) return false;
    const OrderedPath::Step& leaf = path.leaf();
    if (leaf.head.count == 1 && path.depth() > 0) {
      if (unlink(path)) break;
      continue;
    }
    if (!leaf.node->try_lock(leaf.version)) continue;
    LongKey* const gone = leaf.node->remove(leaf.at);
    leaf.node->unlock();
    retire(gone);
    if (path.depth() > 0 && used_bytes(*leaf.node) < kSparseBytes) merge_leaf(path);
    break;
  }
  count(-1);
  return true;
}

bool OrderedIndex::unlink(const OrderedPath& path) {
  // With the leaf go all above it that hold nothing else; the root stays.
  std::size_t top = path.depth() - 1;
  while (top > 0 && path[top].head.count == 1) --top;
  for (std::size_t i = top; i <= path.depth(); ++i) {
    if (path[i].node->try_lock(path[i].version)) continue;
    while (i > top) path[--i].node->unlock_untouched();
    return false;
  }
  const OrderedPath::Step& above = path[top];
  LongKey* separator = nullptr;
  if (above.head.count > 1) {
    separator = above.node->remove(above.at);
  } else {
    STRATA_CHECK(root_->build(0, {}, {}, 0));
  }
  for (std::size_t i = top + 1; i <= path.depth(); ++i) {
    path[i].node->unlock_obsolete();
  }
  above.node->unlock();
  const OrderedPath::Step& leaf = path.leaf();
  retire(
      OrderedNode::long_key(leaf.node->data(), OrderedNode::slot(leaf.node->data(), leaf.head, 0)));
  retire(separator);
  for (std::size_t i = top + 1; i <= path.depth(); ++i) retire(path[i].node);
  if (top == 0) collapse_root();
  return true;
}

void OrderedIndex::merge_leaf(const OrderedPath& path) {
  const OrderedPath::Step& above = path[path.depth() - 1];
  if (above.at > 0 && merge(path, above.at - 1)) return;
  if (above.at + 1 < above.head.count) merge(path, above.at);
}

bool OrderedIndex::merge(const OrderedPath& path, std::size_t first) {
  const OrderedPath::Step& above = path[path.depth() - 1];
  OrderedNode* const left = above.node->child(above.head, first);
  OrderedNode* const right = above.node->child(above.head, first + 1);
  if (!above.node->unchanged(above.version)) return false;
  const auto have_room = [&] {
    return used_bytes(*left) + used_bytes(*right) <= kMergedBytesMax &&
           left->head().count + right->head().count <= static_cast<int>(kNodeKeysMax);
  };
  if (!have_room() || !above.node->try_lock(above.version)) return false;
  LongKey* separator = nullptr;
  bool merged = false;
  if (left->try_lock()) {
    if (right->try_lock()) {
      if (have_room()) {
        NodeItems items(*left);
        items.append(*right);
        merged = left->build(0, items.all(), common_prefix(0, items.all()), 0);
      }
      if (merged) {
        separator = above.node->remove(first + 1);
        right->unlock_obsolete();
      } else {
        right->unlock_untouched();
      }
    }
    if (merged) {
      left->unlock();
    } else {
      left->unlock_untouched();
    }
  }
  if (!merged) {
    above.node->unlock_untouched();
    return false;
  }
  above.node->unlock();
  retire(separator);
  retire(right);
  if (path.depth() == 1) collapse_root();
  return true;
}

void OrderedIndex::collapse_root() {
  while (root_->try_lock()) {
    const NodeHead head = root_->head();
    OrderedNode* const child = head.level != 0 && head.count == 1 ? root_->child(head, 0) : nullptr;
    if (child == nullptr || !child->try_lock()) {
      root_->unlock_untouched();
      return;
    }
    root_->take_content_of(*child);
    child->unlock_obsolete();
    root_->unlock();
    retire(child);
  }
}

void OrderedIndex::retire(OrderedNode* node) {
  epoch_.retire([pool = pool_, node] { pool->give(node); });
}

void OrderedIndex::retire(LongKey* key) {
  if (key == nullptr) return;
  epoch_.retire([pool = pool_, key] { pool->free_long(key); });
}

// --- figures and checks --------------------------------------------------------------------------

void OrderedIndex::count(std::int64_t more) noexcept {
  counts_[base::thread_index() % kCounts].value.fetch_add(more, std::memory_order_relaxed);
}

std::uint64_t OrderedIndex::count() const noexcept {
  std::int64_t sum = 0;
  for (const Count& each : counts_) sum += each.value.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(sum, 0));
}

std::uint64_t OrderedIndex::bytes() const noexcept { return pool_->bytes(); }

void OrderedIndex::check_invariants() const {
  std::uint64_t keys = 0;
  // Gives nothing back; `low` and `high` bound the node's keys, an empty `high` does not.
  const auto check = [&keys](const auto& self, const OrderedNode& node, const Bytes& low,
                             const Bytes* high) -> void {
    const std::uint64_t version = node.stable();
    STRATA_CHECK(!OrderedNode::obsolete(version));
    const NodeHead head = node.head();
    STRATA_CHECK(head.slot_at(head.count) <= head.heap);
    std::size_t tails = 0;
    std::vector<Bytes> all;
    for (std::size_t i = 0; i < head.count; ++i) {
      const std::uint64_t slot = OrderedNode::slot(node.data(), head, i);
      if (head.level != 0 && i == 0) {
        STRATA_CHECK(slot == 0);
        all.push_back(low);
        continue;
      }
      tails += node_slot::tail_bytes(slot);
      Bytes key(OrderedNode::key_bytes(node.data(), head, i), '\0');
      OrderedNode::copy_key(node.data(), head, i, key.data());
      STRATA_CHECK(node_slot::is_long(slot) == (key.size() > kInlineKeyBytesMax));
      STRATA_CHECK(key.starts_with(OrderedNode::prefix(node.data(), head)));
      STRATA_CHECK(key >= low);
      STRATA_CHECK(high == nullptr || key < *high);
      STRATA_CHECK(all.empty() || all.back() < key || (head.level != 0 && i == 1));
      all.push_back(std::move(key));
    }
    STRATA_CHECK(head.heap + tails + head.dead == kNodeDataBytes);
    if (head.level == 0) {
      keys += head.count;
      return;
    }
    STRATA_CHECK(head.count > 0);
    for (std::size_t i = 0; i < head.count; ++i) {
      const OrderedNode& child = *node.child(head, i);
      STRATA_CHECK(child.head().level + 1 == head.level);
      self(self, child, all[i], i + 1 < head.count ? &all[i + 1] : high);
    }
  };
  check(check, *root_, {}, nullptr);
  STRATA_CHECK(keys == count());
}

}  // namespace strata::backends::hybridlog
