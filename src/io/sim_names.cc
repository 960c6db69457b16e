// Which names survive.
#include "io/sim_names.h"

#include <set>
#include <utility>

#include "base/hash.h"

namespace strata::io {
namespace {

/// A name in a folder. Only ever looked up, never walked: pointers have no order that repeats.
using NameKey = std::pair<const SimNode*, std::string>;

void crash_below(SimNode& folder, base::Random& random, CrashStyle style) {
  folder.entries = folder.disk_entries;
  for (const auto& [name, node] : folder.entries) {
    if (node->kind == FileKind::directory) {
      crash_below(*node, random, style);
    } else {
      node->locked = false;
      node->content.crash(random, style);
      node->count_bytes();
    }
  }
}

void assign(SimEntries& entries, const std::string& name, const SimNames::Node& node) {
  if (node == nullptr) {
    entries.erase(name);
  } else {
    entries.insert_or_assign(name, node);
  }
}

}  // namespace

bool SimNameLess::operator()(std::string_view a, std::string_view b) const noexcept {
  const std::uint64_t hash_a = base::hash64(a);
  const std::uint64_t hash_b = base::hash64(b);
  return hash_a != hash_b ? hash_a < hash_b : a < b;
}

SimNames::SimNames(std::int64_t now_ms, SimUsedBytes& used_bytes)
    : root_(std::make_shared<SimNode>(FileKind::directory, now_ms, used_bytes)) {}

void SimNames::apply(std::vector<Change> changes) {
  for (const Change& change : changes) assign(change.folder->entries, change.name, change.now);
  const std::size_t count = changes.size();
  pending_.push_back({std::move(changes), std::vector<bool>(count)});
}

void SimNames::commit(const Pending& pending) {
  for (const Change& change : pending.changes) {
    assign(change.folder->disk_entries, change.name, change.now);
  }
}

void SimNames::sync(const Node& folder) {
  // Backwards: a change that is durable makes the earlier ones of its names durable too.
  std::set<NameKey> durable_names;
  std::vector<std::list<Pending>::iterator> durable;
  for (auto pending = pending_.end(); pending != pending_.begin();) {
    --pending;
    bool all = true;
    bool needed = false;
    for (std::size_t i = 0; i < pending->changes.size(); ++i) {
      const Change& change = pending->changes[i];
      if (change.folder == folder) pending->synced[i] = true;
      all = all && pending->synced[i];
      needed = needed || durable_names.contains({change.folder.get(), change.name});
    }
    if (!all && !needed) continue;
    for (const Change& change : pending->changes) {
      durable_names.emplace(change.folder.get(), change.name);
    }
    durable.push_back(pending);
  }
  for (auto it = durable.rbegin(); it != durable.rend(); ++it) {
    commit(**it);
    pending_.erase(*it);
  }
}

void SimNames::crash(base::Random& random, CrashStyle style) {
  std::set<NameKey> lost_names;
  for (const Pending& pending : pending_) {
    bool kept = style == CrashStyle::keep || (style == CrashStyle::random && random.one_in(2));
    for (const Change& change : pending.changes) {
      kept = kept && !lost_names.contains({change.folder.get(), change.name});
    }
    if (kept) {
      commit(pending);
      continue;
    }
    for (const Change& change : pending.changes) {
      lost_names.emplace(change.folder.get(), change.name);
    }
  }
  pending_.clear();
  crash_below(*root_, random, style);
}

}  // namespace strata::io
