// OrderedNode: one node of the ordered index, 1 KiB: keys in order, and an inner node's children.
//
//   0         8      16                                    heap
//   +---------+------+--------+----------------------+- - -+------------------------+
//   | version | head | prefix | slot 0 | slot 1 | ...      |  ... tails of the keys |
//   +---------+------+--------+----------------------+- - -+------------------------+
//   version: locked 1 (lowest bit) | obsolete 1 | counter 62
//   slot:    key bytes 5 | tail at 16 | length 8; an inner node's is followed by the child
//
// All keys begin with the node's prefix; what comes behind it is the rest. A slot has the first
// five bytes of the rest (zeros behind its end), so that most comparisons touch slots only; the
// tail is what follows them. A key above kInlineKeyBytesMax is a LongKey; its tail is the address
// of that. Offsets count from the head on. The first key of an inner node is the lowest there can
// be; it is empty, and no part of what is said of the others.
//
// Always:  keys ascend strictly; prefix, slots and heap do not overlap.
// Threads: changed only under the lock, or before anybody else sees it. Everybody else loads words
//          with acquire, and believes them once the version has been found unchanged behind the
//          loads: the stores have release, so whoever sees one of them sees the lock, too.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "backends/hybridlog/bucket.h"
#include "backends/hybridlog/record_layout.h"
#include "base/check.h"
#include "base/coding.h"
#include "strata/bytes.h"

namespace strata::backends::hybridlog {

inline constexpr std::size_t kNodeBytes = 1024;
inline constexpr std::size_t kNodeDataBytes = kNodeBytes - 8;
inline constexpr std::size_t kInlineKeyBytesMax = 128;
inline constexpr std::size_t kPrefixBytesMax = 128;
inline constexpr std::size_t kSlotKeyBytes = 5;
inline constexpr std::size_t kNodeKeysMax = 126;  // in a leaf: nothing but head and slots

/// A key that is too long for a node. Never changes.
class LongKey {
 public:
  static std::size_t bytes_for(std::size_t key_bytes) noexcept {
    return sizeof(LongKey) + key_bytes;
  }
  /// In bytes_for(key.size()).
  explicit LongKey(BytesView key) noexcept : bytes_(key.size()) {
    std::memcpy(reinterpret_cast<char*>(this + 1), key.data(), key.size());
  }
  LongKey(const LongKey&) = delete;
  LongKey& operator=(const LongKey&) = delete;
  BytesView view() const noexcept { return {reinterpret_cast<const char*>(this + 1), bytes_}; }

 private:
  std::size_t bytes_;
};

/// The word behind the version.
struct NodeHead {
  static constexpr std::size_t kBytes = 8;

  std::uint8_t count;
  std::uint8_t level;  ///< 0: a leaf
  std::uint8_t prefix_bytes;
  std::uint8_t appends;  ///< how many of the latest keys came behind all others
  std::uint16_t heap;    ///< where the lowest tail begins
  std::uint16_t dead;    ///< bytes of the heap that nobody needs

  std::size_t slot_bytes() const noexcept { return level == 0 ? 8 : 16; }
  std::size_t slot_at(std::size_t i) const noexcept {
    return kBytes + padded(prefix_bytes) + i * slot_bytes();
  }
  std::size_t gap() const noexcept { return heap - slot_at(count); }
  /// By slots and tails.
  std::size_t used() const noexcept {
    return count * slot_bytes() + (kNodeDataBytes - heap - dead);
  }
};
static_assert(sizeof(NodeHead) == NodeHead::kBytes);

/// Up to eight bytes as a number that orders as they do, with zeros behind their end.
inline std::uint64_t load_partial_be(const char* from, std::size_t bytes) noexcept {
  if (bytes >= 8) return base::load_u64_be(from);
  if (bytes >= 4) {
    return std::uint64_t{base::load_u32_be(from)} << 32 |
           std::uint64_t{base::load_u32_be(from + bytes - 4)} << (64 - 8 * bytes);
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(from[i])} << (56 - 8 * i);
  }
  return word;
}

namespace node_slot {
inline constexpr std::uint64_t kLongLength = 255;
inline constexpr std::uint64_t kKeyMask = ~std::uint64_t{0xffffff};

/// The slot's part of a key's rest; orders as the rests do, but for ties.
inline std::uint64_t key_part(BytesView rest) noexcept {
  return load_partial_be(rest.data(), rest.size()) & kKeyMask;
}
constexpr std::uint64_t make(std::uint64_t key_part, std::size_t tail_at,
                             std::size_t length) noexcept {
  return key_part | tail_at << 8 | length;
}
constexpr bool is_long(std::uint64_t slot) noexcept { return (slot & 0xff) == kLongLength; }
constexpr std::size_t length(std::uint64_t slot) noexcept { return slot & 0xff; }
constexpr std::size_t tail_at(std::uint64_t slot) noexcept { return slot >> 8 & 0xffff; }
constexpr std::size_t tail_bytes(std::uint64_t slot) noexcept {
  if (is_long(slot)) return sizeof(LongKey*);
  return length(slot) > kSlotKeyBytes ? length(slot) - kSlotKeyBytes : 0;
}
}  // namespace node_slot

class OrderedNode;

/// What stands in a node, or is to.
struct NodeItem {
  BytesView key;
  LongKey* long_key = nullptr;  ///< its key is `key`
  OrderedNode* child = nullptr;
};

/// Where a key is among a node's, or would be: as many are below it.
struct NodeSpot {
  unsigned at = 0;
  bool found = false;
};

class alignas(64) OrderedNode {
 public:
  static constexpr std::uint64_t kLocked = 1;
  static constexpr std::uint64_t kObsolete = 2;
  static constexpr std::uint64_t kStep = 4;

  OrderedNode() noexcept = default;
  OrderedNode(const OrderedNode&) = delete;
  OrderedNode& operator=(const OrderedNode&) = delete;

  // --- the version ------------------------------------------------------------------------------
  /// Waits while it is locked. Acquire: with unlock().
  std::uint64_t stable() const noexcept {
    std::uint64_t version = version_.load(std::memory_order_acquire);
    for (Spin spin; (version & kLocked) != 0; version = version_.load(std::memory_order_acquire)) {
      spin.wait();
    }
    return version;
  }
  /// For what was loaded with acquire since stable().
  bool unchanged(std::uint64_t version) const noexcept {
    return version_.load(std::memory_order_relaxed) == version;
  }
  /// Only as it was at that version, which was neither locked nor obsolete.
  bool try_lock(std::uint64_t version) noexcept {
    return version_.compare_exchange_strong(version, version | kLocked, std::memory_order_acquire,
                                            std::memory_order_relaxed);
  }
  bool try_lock() noexcept {
    const std::uint64_t version = version_.load(std::memory_order_relaxed);
    return (version & (kLocked | kObsolete)) == 0 && try_lock(version);
  }
  void unlock() noexcept { set_version(held_version() - kLocked + kStep); }
  void unlock_untouched() noexcept { set_version(held_version() - kLocked); }
  /// Nothing leads here any more.
  void unlock_obsolete() noexcept { set_version(held_version() - kLocked + kStep + kObsolete); }
  static bool obsolete(std::uint64_t version) noexcept { return (version & kObsolete) != 0; }

  // --- for anybody, to be validated; also of a copy of data() -----------------------------------
  const char* data() const noexcept { return data_; }
  static NodeHead head(const char* data) noexcept {
    return std::bit_cast<NodeHead>(load_word(data));
  }
  NodeHead head() const noexcept { return head(data_); }
  static OrderedNode* child(const char* data, const NodeHead& head, std::size_t i) noexcept {
    return reinterpret_cast<OrderedNode*>(load_word(data + head.slot_at(i) + 8));
  }
  OrderedNode* child(const NodeHead& head, std::size_t i) const noexcept {
    return child(data_, head, i);
  }
  /// Of an inner node's keys but the first. False: `trust()`, asked before a long key is looked
  /// at, said that the node has changed.
  template <class Trust>
  static bool find(const char* data, const NodeHead& head, BytesView key, NodeSpot& spot,
                   Trust trust);
  void prefetch() const noexcept {
    for (std::size_t at = 0; at < kNodeBytes / 2; at += 64) {
      __builtin_prefetch(reinterpret_cast<const char*>(this) + at);
    }
  }

  // --- of a copy that has been validated, or under the lock
  // ---------------------------------------
  static BytesView prefix(const char* data, const NodeHead& head) noexcept {
    return {data + NodeHead::kBytes, head.prefix_bytes};
  }
  static std::uint64_t slot(const char* data, const NodeHead& head, std::size_t i) noexcept {
    return load_word(data + head.slot_at(i));
  }
  static LongKey* long_key(const char* data, std::uint64_t slot) noexcept;
  static std::size_t key_bytes(const char* data, const NodeHead& head, std::size_t i) noexcept;
  static void copy_key(const char* data, const NodeHead& head, std::size_t i, char* to) noexcept;

  // --- under the lock, or alone
  // -------------------------------------------------------------------
  /// False: no room, nothing changed.
  bool insert(std::size_t at, const NodeItem& item) noexcept;
  /// Gives what is not needed any more, or null.
  LongKey* remove(std::size_t at) noexcept;
  /// All anew; the keys begin with `prefix`. False: no room, nothing changed.
  bool build(std::uint8_t level, std::span<const NodeItem> items, BytesView prefix,
             std::uint8_t appends) noexcept;
  /// With the longest prefix; with `prefix`, which has always had room, if that has none.
  void build_subset(std::uint8_t level, std::span<const NodeItem> items, BytesView prefix,
                    std::uint8_t appends) noexcept;
  void take_content_of(const OrderedNode& other) noexcept {
    store_words(data_, other.data_, kNodeDataBytes);
  }

 private:
  std::uint64_t held_version() const noexcept {
    const std::uint64_t version = version_.load(std::memory_order_relaxed);
    STRATA_DCHECK((version & kLocked) != 0);
    return version;
  }
  void set_version(std::uint64_t version) noexcept {
    version_.store(version, std::memory_order_release);
  }
  void set_head(const NodeHead& head) noexcept {
    store_word(data_, std::bit_cast<std::uint64_t>(head));
  }

  std::atomic<std::uint64_t> version_{0};  // acquire and release: a lock that readers look at
  char data_[kNodeDataBytes];
};
static_assert(sizeof(OrderedNode) == kNodeBytes);

/// A node's items with whole keys, copied out of it.
class NodeItems {
 public:
  /// Under the lock, or alone.
  explicit NodeItems(const OrderedNode& node) noexcept { append(node); }
  /// Behind those that are here; kNodeKeysMax are no more than there is room for.
  void append(const OrderedNode& node) noexcept;
  /// `item`'s key is only borrowed.
  void insert(std::size_t at, const NodeItem& item) noexcept;

  std::span<const NodeItem> all() const noexcept { return {items_, count_}; }

 private:
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  NodeItem items_[kNodeKeysMax + 1];
  char keys_[kNodeKeysMax * kInlineKeyBytesMax];
};

/// What all keys begin with, as far as a node says it; of an inner node's: without the first.
BytesView common_prefix(std::uint8_t level, std::span<const NodeItem> items) noexcept;
/// The shortest key that is above `low` and not above `high`: the beginning of `high`.
BytesView shortest_between(BytesView low, BytesView high) noexcept;
std::size_t common_bytes(BytesView a, BytesView b) noexcept;

// --- find ----------------------------------------------------------------------------------------

namespace internal {

// Words are compared as numbers, not copied and then compared as bytes: to read in one piece what
// was just written in several costs more than all the rest.

constexpr std::uint64_t first_bytes(std::uint64_t word, std::size_t bytes) noexcept {
  return bytes >= 8 ? word : bytes == 0 ? 0 : word & ~std::uint64_t{0} << (64 - 8 * bytes);
}

/// Eight bytes of a node at any place in it, big-endian; zeros behind its end.
inline std::uint64_t load_node_be(const char* data, std::size_t at) noexcept {
  const auto aligned = [data](std::size_t word_at) -> std::uint64_t {
    if (word_at >= kNodeDataBytes) return 0;
    const std::uint64_t word = load_word(data + word_at);
    return base::load_u64_be(reinterpret_cast<const char*>(&word));
  };
  const std::size_t begin = at & ~std::size_t{7};
  const std::size_t shift = 8 * (at & 7);
  const std::uint64_t word = aligned(begin);
  return shift == 0 ? word : word << shift | aligned(begin + 8) >> (64 - shift);
}

/// -1, 0 or 1, as `key` is before, equal to or behind the node's bytes, which are all looked at.
inline int compare_bytes(BytesView key, const char* data, std::size_t at,
                         std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; i += 8) {
    const std::uint64_t theirs = first_bytes(load_node_be(data, at + i), bytes - i);
    const std::uint64_t mine = i < key.size() ? load_partial_be(key.data() + i, key.size() - i) : 0;
    if (mine != theirs) return mine < theirs ? -1 : 1;
  }
  return key.size() < bytes ? -1 : key.size() > bytes ? 1 : 0;
}

/// -1, 0 or 1: `key` is before, in or behind what begins with the node's prefix.
inline int compare_prefix(const char* data, const NodeHead& head, BytesView key) noexcept {
  const std::size_t bytes = head.prefix_bytes;
  if (bytes == 0) return 0;
  return compare_bytes(key.substr(0, bytes), data, NodeHead::kBytes, bytes);
}

/// Of a rest with a slot's that has the same key part. False: the slot is not to be trusted.
template <class Trust>
bool compare_rest(const char* data, const NodeHead& head, std::uint64_t slot, BytesView rest,
                  int& order, Trust trust) {
  const std::size_t at = node_slot::tail_at(slot);
  if (node_slot::is_long(slot)) {
    char address[sizeof(LongKey*)];
    base::store_u64_be(address, load_node_be(data, at));
    if (!trust()) return false;
    const LongKey* key;
    std::memcpy(&key, address, sizeof key);
    order = rest.compare(key->view().substr(head.prefix_bytes));
    return true;
  }
  const std::size_t bytes = node_slot::tail_bytes(slot);
  if (bytes > 0 && rest.size() > kSlotKeyBytes) {
    order = compare_bytes(rest.substr(kSlotKeyBytes), data, at, bytes);
    return true;
  }
  const std::size_t length = node_slot::length(slot);
  order = rest.size() < length ? -1 : rest.size() > length ? 1 : 0;
  return true;
}

}  // namespace internal

template <class Trust>
bool OrderedNode::find(const char* data, const NodeHead& head, BytesView key, NodeSpot& spot,
                       Trust trust) {
  const unsigned first = head.level == 0 ? 0 : 1;
  const unsigned count = head.count;
  spot = {first, false};
  if (count <= first) return true;
  if (const int order = internal::compare_prefix(data, head, key); order != 0) {
    spot.at = order < 0 ? first : count;
    return true;
  }
  const BytesView rest = key.substr(head.prefix_bytes);
  const std::uint64_t wanted = node_slot::key_part(rest);
  const char* const slots = data + head.slot_at(0);
  const unsigned shift = head.level == 0 ? 3 : 4;
  // The first slot whose key part is not below; without branches, which could not be guessed.
  unsigned low = first;
  for (unsigned left = count - first; left > 0;) {
    const unsigned half = (left + 1) / 2;
    low += load_word(slots + (std::size_t{low + half - 1} << shift)) < wanted ? half : 0;
    left -= half;
  }
  // Ties, of which there is seldom more than one.
  for (unsigned high = count, at = low; low < high; at = low + (high - low) / 2) {
    const std::uint64_t slot = load_word(slots + (std::size_t{at} << shift));
    int order = -1;
    if ((slot & node_slot::kKeyMask) == wanted &&
        !internal::compare_rest(data, head, slot, rest, order, trust)) {
      return false;
    }
    if (order == 0) {
      spot = {at, true};
      return true;
    }
    if (order < 0) {
      high = at;
    } else {
      low = at + 1;
    }
  }
  spot.at = low;
  return true;
}

}  // namespace strata::backends::hybridlog
