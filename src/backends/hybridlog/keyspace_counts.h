// KeyspaceCounts: how many records each keyspace holds, expired ones that were not swept included.
//
// Threads: any. Counting takes no lock; a keyspace met for the first time allocates one node.
// Owns:    a node a keyspace that was ever counted, to its own end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "strata/record.h"

namespace strata::backends::hybridlog {

class KeyspaceCounts {
 public:
  KeyspaceCounts() = default;
  ~KeyspaceCounts() {
    for (std::atomic<Node*>& head : heads_) {
      for (Node* node = head.load(); node != nullptr;) {
        Node* const next = node->next;
        delete node;
        node = next;
      }
    }
  }
  KeyspaceCounts(const KeyspaceCounts&) = delete;
  KeyspaceCounts& operator=(const KeyspaceCounts&) = delete;

  void add(Keyspace space, std::int64_t n) {
    node_of(space).count.fetch_add(n, std::memory_order_relaxed);
  }
  std::uint64_t count(Keyspace space) const noexcept {
    const Node* const node = find(heads_[slot_of(space)].load(std::memory_order_acquire), space);
    return node == nullptr ? 0 : not_negative(node->count.load(std::memory_order_relaxed));
  }
  /// Of all keyspaces from kFirstUserKeyspace on.
  std::uint64_t count_users() const noexcept { return sum_from(kFirstUserKeyspace); }
  std::uint64_t count_all() const noexcept { return sum_from(Keyspace{0}); }

 private:
  std::uint64_t sum_from(Keyspace first) const noexcept {
    std::int64_t sum = 0;
    for (const std::atomic<Node*>& head : heads_) {
      const Node* node = head.load(std::memory_order_acquire);
      for (; node != nullptr; node = node->next) {
        if (node->space >= first) sum += node->count.load(std::memory_order_relaxed);
      }
    }
    return not_negative(sum);
  }

  struct Node {
    Keyspace space;
    std::atomic<std::int64_t> count{0};  // relaxed: a number that orders nothing
    Node* next = nullptr;                // set before it is published
  };
  static std::uint64_t not_negative(std::int64_t n) noexcept {
    return n < 0 ? 0 : static_cast<std::uint64_t>(n);
  }
  static std::size_t slot_of(Keyspace space) noexcept {
    return static_cast<std::uint32_t>(space) % 1024;
  }
  static Node* find(Node* node, Keyspace space) noexcept {
    while (node != nullptr && node->space != space) node = node->next;
    return node;
  }
  Node& node_of(Keyspace space) {
    std::atomic<Node*>& head = heads_[slot_of(space)];
    Node* first = head.load(std::memory_order_acquire);
    if (Node* const found = find(first, space)) return *found;
    Node* const made = new Node{space};
    while (true) {
      made->next = first;
      if (head.compare_exchange_weak(first, made, std::memory_order_acq_rel)) return *made;
      if (Node* const found = find(first, space)) {
        delete made;
        return *found;
      }
    }
  }

  std::array<std::atomic<Node*>, 1024> heads_ = {};  // release when a node is put first
};

}  // namespace strata::backends::hybridlog
