// SimNames: the simulated tree of folders, as it is and as the disk would give it back.
//
// Each change of names (create, rename, remove) takes effect at once in `entries` and waits in a
// list until it is durable. A change is one or two assignments "this name in this folder is now
// this node, or nothing", which survive together or not at all. After a crash any of the waiting
// changes may have survived, but not one without the earlier ones of the same name.
//
// Threads: one at a time (the simulated machine's mutex).
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "io/file_system.h"
#include "io/sim_content.h"

namespace strata::io {

struct SimNode;

/// Entries in an order that looks arbitrary (and is always the same), as a disk gives them.
struct SimNameLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept;
};
using SimEntries = std::map<std::string, std::shared_ptr<SimNode>, SimNameLess>;

/// How many bytes all nodes of a machine hold. Relaxed: a sum that orders nothing.
using SimUsedBytes = std::atomic<std::uint64_t>;

/// A file or a folder. Lives as long as a name, a waiting change or an open file holds it.
struct SimNode {
  SimNode(FileKind what, std::int64_t now_ms, SimUsedBytes& used)
      : kind(what), created_ms(now_ms), modified_ms(now_ms), used_bytes(used) {}
  ~SimNode() { used_bytes.fetch_sub(counted_bytes, std::memory_order_relaxed); }
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  /// After every change of content: brings used_bytes up to date.
  void count_bytes() noexcept {
    used_bytes.fetch_add(content.size() - counted_bytes, std::memory_order_relaxed);
    counted_bytes = content.size();
  }

  const FileKind kind;
  std::int64_t created_ms;
  std::int64_t modified_ms;
  bool locked = false;
  SimContent content;       // of a file
  SimEntries entries;       // of a folder, as it is
  SimEntries disk_entries;  // of a folder, as the disk has it
  SimUsedBytes& used_bytes;
  std::uint64_t counted_bytes = 0;
};

class SimNames {
 public:
  using Node = std::shared_ptr<SimNode>;
  struct Change {
    Node folder;
    std::string name;
    Node now;  // null: nothing
  };

  SimNames(std::int64_t now_ms, SimUsedBytes& used_bytes);

  const Node& root() const noexcept { return root_; }
  /// Takes effect at once and waits for sync().
  void apply(std::vector<Change> changes);
  /// What happened in `folder` is durable; a rename between two folders needs both.
  void sync(const Node& folder);
  /// Power is lost; every file's content crashes too.
  void crash(base::Random& random, CrashStyle style);

 private:
  struct Pending {
    std::vector<Change> changes;
    std::vector<bool> synced;  // by change
  };

  static void commit(const Pending& pending);

  Node root_;
  std::list<Pending> pending_;  // oldest first
};

}  // namespace strata::io
