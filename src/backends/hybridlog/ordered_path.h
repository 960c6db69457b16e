// OrderedPath: the nodes of an ordered index from the root to a leaf, as somebody saw them who
// locked none of them.
//
// Always:  each node's version is one that it had while the node above was as it is noted. So what
//          is found unchanged later was the way to the leaf's keys all the time. No step is
//          obsolete at the version that is noted.
// Threads: one at a time; the nodes may be changed by others. Inside an Epoch::Guard.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/hybridlog/ordered_node.h"

namespace strata::backends::hybridlog {

class OrderedPath {
 public:
  struct Step {
    OrderedNode* node;
    std::uint64_t version;
    NodeHead head;
    std::size_t at;  ///< of the child below; in the leaf: where the key is, or would be
  };
  enum class Next : std::uint8_t { there, none, stale };

  std::size_t depth() const noexcept { return depth_; }  ///< of the leaf; the root's is 0
  const Step& operator[](std::size_t depth) const noexcept { return steps_[depth]; }
  const Step& leaf() const noexcept { return steps_[depth_]; }
  /// Whether the leaf has the key.
  bool found() const noexcept { return found_; }

  /// Down to the leaf of `key`, and to where it is there or would be; as it is at one moment.
  void find(OrderedNode& root, BytesView key) {
    for (Spin spin; !find_once(root, key);) spin.wait();
  }
  /// Down to the first leaf or the last.
  void find_edge(OrderedNode& root, bool last) noexcept {
    for (Spin spin;; spin.wait()) {
      enter_root(root);
      if (go_to_edge(last)) return;
    }
  }
  /// On to the leaf behind this one, or in reverse before it.
  Next go_on(bool reverse) noexcept {
    while (depth_ > 0) {
      const Step& step = steps_[--depth_];
      if (!step.node->unchanged(step.version)) return Next::stale;
      if (reverse ? step.at == 0 : step.at + 1 == step.head.count) continue;
      const std::size_t at = reverse ? step.at - 1 : step.at + 1;
      return enter_child(at) && go_to_edge(reverse) ? Next::there : Next::stale;
    }
    return Next::none;
  }

 private:
  // The root is handed down only when it is full, and a full inner node has six children or more:
  // the tree cannot become this high.
  static constexpr std::size_t kHeightMax = 32;

  void enter_root(OrderedNode& root) noexcept {
    const std::uint64_t version = root.stable();
    depth_ = 0;
    steps_[0] = {&root, version, root.head(), 0};
  }
  bool enter_child(std::size_t at) noexcept {
    Step& above = steps_[depth_];
    above.at = at;
    OrderedNode* const child = above.node->child(above.head, at);
    // Before the child is looked at, and again once its version is known: it is that of a time when
    // the child was still one.
    if (!above.node->unchanged(above.version)) return false;
    child->prefetch();
    const std::uint64_t version = child->stable();
    if (!above.node->unchanged(above.version)) return false;
    STRATA_DCHECK(!OrderedNode::obsolete(version));
    STRATA_CHECK(depth_ + 1 < kHeightMax);
    steps_[++depth_] = {child, version, child->head(), 0};
    return true;
  }
  bool go_to_edge(bool last) noexcept {
    while (leaf().head.level != 0) {
      if (!enter_child(last ? leaf().head.count - 1u : 0)) return false;
    }
    return true;
  }
  bool find_once(OrderedNode& root, BytesView key) {
    enter_root(root);
    while (true) {
      Step& step = steps_[depth_];
      const auto trust = [&step] { return step.node->unchanged(step.version); };
      NodeSpot spot;
      if (!OrderedNode::find(step.node->data(), step.head, key, spot, trust)) return false;
      if (step.head.level == 0) {
        step.at = spot.at;
        found_ = spot.found;
        return trust();
      }
      if (!enter_child(spot.found ? spot.at : spot.at - 1)) return false;
    }
  }

  Step steps_[kHeightMax];
  std::size_t depth_ = 0;
  bool found_ = false;
};

}  // namespace strata::backends::hybridlog
