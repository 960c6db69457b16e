#include "backends/hybridlog/ordered_node.h"

#include <algorithm>
#include <iterator>

namespace strata::backends::hybridlog {
namespace {

/// Without a call, which would cost more than the copy.
inline void copy_few(char* to, const char* from, std::size_t bytes) noexcept {
  if (bytes >= 8) {
    for (std::size_t i = 0; i + 8 < bytes; i += 8) std::memcpy(to + i, from + i, 8);
    std::memcpy(to + bytes - 8, from + bytes - 8, 8);
  } else if (bytes >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + bytes - 4, from + bytes - 4, 4);
  } else if (bytes > 0) {
    to[0] = from[0];
    to[bytes / 2] = from[bytes / 2];
    to[bytes - 1] = from[bytes - 1];
  }
}

/// Into a node whose lock is held; the bytes around them are written again as they are.
void store_node_bytes(char* data, std::size_t at, BytesView bytes) noexcept {
  char words[kInlineKeyBytesMax + 16];
  const std::size_t begin = at & ~std::size_t{7};
  const std::size_t all = padded(at + bytes.size()) - begin;
  std::memcpy(words, data + begin, all);
  std::memcpy(words + (at - begin), bytes.data(), bytes.size());
  store_words(data + begin, words, all);
}

/// What a node keeps of a key behind its prefix.
struct Entry {
  Entry(const NodeItem& item, std::size_t prefix_bytes) noexcept : long_key_(item.long_key) {
    const BytesView rest = item.key.substr(prefix_bytes);
    key_part_ = node_slot::key_part(rest);
    length_ = long_key_ != nullptr ? node_slot::kLongLength : rest.size();
    inline_tail_ = rest.substr(std::min(rest.size(), kSlotKeyBytes));
    STRATA_DCHECK((long_key_ != nullptr) == (item.key.size() > kInlineKeyBytesMax));
  }
  BytesView tail() const noexcept {
    if (long_key_ == nullptr) return inline_tail_;
    return {reinterpret_cast<const char*>(&long_key_), sizeof long_key_};
  }
  std::uint64_t slot(std::size_t tail_at) const noexcept {
    return node_slot::make(key_part_, tail_at, length_);
  }

 private:
  LongKey* long_key_;
  std::uint64_t key_part_;
  std::size_t length_;
  BytesView inline_tail_;
};

std::uint64_t child_word(OrderedNode* child) noexcept {
  return reinterpret_cast<std::uintptr_t>(child);
}

}  // namespace

std::size_t common_bytes(BytesView a, BytesView b) noexcept {
  const std::size_t most = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
      a.begin());
}

BytesView common_prefix(std::uint8_t level, std::span<const NodeItem> items) noexcept {
  if (level != 0) items = items.subspan(1);
  if (items.empty()) return {};
  const std::size_t bytes = common_bytes(items.front().key, items.back().key);
  return items.front().key.substr(0, std::min(bytes, kPrefixBytesMax));
}

BytesView shortest_between(BytesView low, BytesView high) noexcept {
  STRATA_DCHECK(low < high);
  return high.substr(0, common_bytes(low, high) + 1);
}

LongKey* OrderedNode::long_key(const char* data, std::uint64_t slot) noexcept {
  if (!node_slot::is_long(slot)) return nullptr;
  LongKey* key;
  std::memcpy(&key, data + node_slot::tail_at(slot), sizeof key);
  return key;
}

std::size_t OrderedNode::key_bytes(const char* data, const NodeHead& head, std::size_t i) noexcept {
  const std::uint64_t at = slot(data, head, i);
  const LongKey* const key = long_key(data, at);
  return key != nullptr ? key->view().size() : head.prefix_bytes + node_slot::length(at);
}

void OrderedNode::copy_key(const char* data, const NodeHead& head, std::size_t i,
                           char* to) noexcept {
  const std::uint64_t at = slot(data, head, i);
  if (const LongKey* const key = long_key(data, at); key != nullptr) {
    std::memcpy(to, key->view().data(), key->view().size());
    return;
  }
  copy_few(to, data + NodeHead::kBytes, head.prefix_bytes);
  to += head.prefix_bytes;
  char key_part[8];
  base::store_u64_be(key_part, at);
  const std::size_t length = node_slot::length(at);
  copy_few(to, key_part, std::min(length, kSlotKeyBytes));
  if (length <= kSlotKeyBytes) return;
  copy_few(to + kSlotKeyBytes, data + node_slot::tail_at(at), length - kSlotKeyBytes);
}

bool OrderedNode::insert(std::size_t at, const NodeItem& item) noexcept {
  NodeHead head = this->head();
  const bool append = at == head.count;
  const auto appends = static_cast<std::uint8_t>(append ? std::min(head.appends + 1, 255) : 0);
  if (!item.key.starts_with(prefix(data_, head))) {
    NodeItems items(*this);
    items.insert(at, item);
    return build(head.level, items.all(), common_prefix(head.level, items.all()), appends);
  }
  const Entry entry(item, head.prefix_bytes);
  const std::size_t slot_bytes = head.slot_bytes();
  const std::size_t needed = slot_bytes + entry.tail().size();
  if (head.gap() < needed) {
    if (head.gap() + head.dead < needed) return false;
    NodeItems items(*this);
    items.insert(at, item);
    build_subset(head.level, items.all(), prefix(data_, head), appends);
    return true;
  }
  head.heap = static_cast<std::uint16_t>(head.heap - entry.tail().size());
  if (!entry.tail().empty()) store_node_bytes(data_, head.heap, entry.tail());
  const std::size_t slot_at = head.slot_at(at);
  for (std::size_t word = head.slot_at(head.count); word > slot_at; word -= 8) {
    store_word(data_ + word - 8 + slot_bytes, load_word(data_ + word - 8));
  }
  store_word(data_ + slot_at, entry.slot(head.heap));
  if (head.level != 0) store_word(data_ + slot_at + 8, child_word(item.child));
  ++head.count;
  head.appends = appends;
  set_head(head);
  return true;
}

LongKey* OrderedNode::remove(std::size_t at) noexcept {
  NodeHead head = this->head();
  // What becomes the first key of an inner node is the lowest from now on.
  const bool new_first = head.level != 0 && at == 0;
  const std::size_t gone = new_first && head.count > 1 ? 1 : at;
  const std::uint64_t gone_slot = slot(data_, head, gone);
  LongKey* const key = long_key(data_, gone_slot);
  head.dead = static_cast<std::uint16_t>(head.dead + node_slot::tail_bytes(gone_slot));
  const std::size_t slot_bytes = head.slot_bytes();
  const std::size_t end = head.slot_at(head.count);
  for (std::size_t word = head.slot_at(at) + slot_bytes; word < end; word += 8) {
    store_word(data_ + word - slot_bytes, load_word(data_ + word));
  }
  if (new_first) store_word(data_ + head.slot_at(0), 0);
  --head.count;
  head.appends = 0;
  if (head.heap + head.dead == kNodeDataBytes) {
    head.heap = kNodeDataBytes;
    head.dead = 0;
  }
  set_head(head);
  return key;
}

bool OrderedNode::build(std::uint8_t level, std::span<const NodeItem> items, BytesView prefix,
                        std::uint8_t appends) noexcept {
  if (items.size() > kNodeKeysMax) return false;
  NodeHead head{.count = static_cast<std::uint8_t>(items.size()),
                .level = level,
                .prefix_bytes = static_cast<std::uint8_t>(prefix.size()),
                .appends = appends,
                .heap = kNodeDataBytes,
                .dead = 0};
  alignas(8) char data[kNodeDataBytes];
  const std::size_t slots_end = head.slot_at(head.count);
  if (slots_end > kNodeDataBytes) return false;
  std::memset(data + NodeHead::kBytes, 0, padded(prefix.size()));
  std::copy(prefix.begin(), prefix.end(), data + NodeHead::kBytes);
  std::size_t heap = kNodeDataBytes;
  for (std::size_t i = 0; i < items.size(); ++i) {
    char* const slot = data + head.slot_at(i);
    if (level != 0) store_word(slot + 8, child_word(items[i].child));
    if (level != 0 && i == 0) {
      store_word(slot, 0);
      continue;
    }
    STRATA_DCHECK(items[i].key.starts_with(prefix));
    const Entry entry(items[i], prefix.size());
    const BytesView tail = entry.tail();
    if (heap - slots_end < tail.size()) return false;
    heap -= tail.size();
    std::copy(tail.begin(), tail.end(), data + heap);
    store_word(slot, entry.slot(heap));
  }
  head.heap = static_cast<std::uint16_t>(heap);
  const std::size_t heap_word = heap & ~std::size_t{7};
  std::memset(data + heap_word, 0, heap - heap_word);
  store_words(data_ + NodeHead::kBytes, data + NodeHead::kBytes, slots_end - NodeHead::kBytes);
  store_words(data_ + heap_word, data + heap_word, kNodeDataBytes - heap_word);
  set_head(head);
  return true;
}

void OrderedNode::build_subset(std::uint8_t level, std::span<const NodeItem> items,
                               BytesView prefix, std::uint8_t appends) noexcept {
  // A longer prefix can need more than it saves where rests fit into their slots anyway.
  STRATA_CHECK(build(level, items, common_prefix(level, items), appends) ||
               build(level, items, prefix, appends));
}

void NodeItems::append(const OrderedNode& node) noexcept {
  const char* const data = node.data();
  const NodeHead head = node.head();
  STRATA_DCHECK(count_ + head.count <= kNodeKeysMax);
  for (std::size_t i = 0; i < head.count; ++i) {
    NodeItem& item = items_[count_++];
    item = {};
    if (head.level != 0) {
      item.child = OrderedNode::child(data, head, i);
      if (i == 0) continue;
    }
    item.long_key = OrderedNode::long_key(data, OrderedNode::slot(data, head, i));
    if (item.long_key != nullptr) {
      item.key = item.long_key->view();
      continue;
    }
    const std::size_t bytes = OrderedNode::key_bytes(data, head, i);
    OrderedNode::copy_key(data, head, i, keys_ + bytes_);
    item.key = {keys_ + bytes_, bytes};
    bytes_ += bytes;
  }
}

void NodeItems::insert(std::size_t at, const NodeItem& item) noexcept {
  std::copy_backward(items_ + at, items_ + count_, items_ + count_ + 1);
  items_[at] = item;
  ++count_;
}

}  // namespace strata::backends::hybridlog
