// Parts: the rooms of one store, and the few questions that concern more than one of them.
//
// Always:  members are made in this order and go in the reverse one.
// Threads: each part's own.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "backends/hybridlog/budget.h"
#include "backends/hybridlog/dead_keys.h"
#include "backends/hybridlog/epoch.h"
#include "backends/hybridlog/expiry_queue.h"
#include "backends/hybridlog/extent_store.h"
#include "backends/hybridlog/hash_index.h"
#include "backends/hybridlog/key_view.h"
#include "backends/hybridlog/keyspace_counts.h"
#include "backends/hybridlog/log.h"
#include "backends/hybridlog/manifest.h"
#include "backends/hybridlog/old_versions.h"
#include "backends/hybridlog/ordered_index.h"
#include "backends/hybridlog/read_cache.h"
#include "backends/hybridlog/version_clock.h"
#include "base/clock.h"
#include "io/read_queue.h"

namespace strata::backends::hybridlog {

struct Options {
  bool ordered = true;
  bool io_uring = true;
  bool upkeep_thread = true;
  double space_amplification = 1.6;
  unsigned frame_bits = 21;
  unsigned segment_bits = 25;
  std::uint64_t memory_bytes = 0;
};

/// From where one looks: versions up to `version`, expiry judged at one time. At present the clock
/// is not asked before a record that expires is met.
struct Sight {
  static constexpr std::int64_t kNotAsked = INT64_MIN;

  std::int64_t time(const base::Clock& clock) noexcept {
    if (time_ms == kNotAsked) time_ms = clock.wall_ms();
    return time_ms;
  }
  bool of_present() const noexcept { return version == ~std::uint64_t{0}; }

  std::uint64_t version = ~std::uint64_t{0};
  std::int64_t time_ms = kNotAsked;
};

struct Parts {
  Parts(io::FileSystem& file_system, base::Clock& wall, Epoch& the_epoch,
        const Options& the_options, const LogOptions& log_options, std::uint64_t clock_start)
      : files(file_system),
        time(wall),
        epoch(the_epoch),
        options(the_options),
        budget(the_options.memory_bytes),
        clock(clock_start),
        log(file_system, epoch, budget, log_options),
        expiry(budget),
        dead(budget),
        old(budget) {}

  io::FileSystem& files;
  base::Clock& time;
  Epoch& epoch;  ///< outlives them; drained before they go
  const Options options;
  MemoryBudget budget;
  VersionClock clock;
  std::uint64_t seed = 0;  ///< of the hash; the store's own
  std::unique_ptr<HashIndex> index;
  std::unique_ptr<OrderedIndex> ordered;  ///< null: switched off
  Log log;
  std::unique_ptr<ExtentStore> extents;
  std::unique_ptr<ReadCache> cache;      ///< null: memory only
  std::unique_ptr<io::ReadQueue> queue;  ///< null: memory only
  KeyspaceCounts counts;
  ExpiryQueue expiry;
  DeadKeys dead;
  OldVersions old;
  struct Held {
    ExtentRef extent;
    std::uint64_t from;
    std::uint64_t to;
  };
  base::Mutex upkeep_mutex;  ///< one at a time does what log.h calls upkeep, and compacts
  /// Under upkeep_mutex: a checkpoint has said where its log begins, and has not written all of it:
  /// what compaction takes away has to be on disk first.
  bool checkpoint_writes = false;
  base::Mutex held_mutex;
  std::vector<Held> held STRATA_GUARDED_BY(held_mutex);
  std::vector<Void> voids;                              ///< set at open
  std::uint64_t voids_limit = 0;                        ///< the highest limit of them
  alignas(64) std::atomic<std::int64_t> live_bytes{0};  // relaxed: of newest records, in the log
  std::atomic<bool> dirty{false};  // seq_cst: set by writers, cleared where a checkpoint begins
  std::atomic<std::uint64_t> record_bytes_hint{128};  // relaxed: how much a cold read asks for

  /// An extent that a record at version `from` named, and none from `to` on.
  void let_go(const ExtentRef& extent, std::uint64_t from, std::uint64_t to) {
    if (!clock.pinned_between(from, to)) {
      extents->release(extent);
      return;
    }
    const base::MutexLock lock(held_mutex);
    held.push_back({extent, from, to});
  }
  /// Lets go of what was held for snapshots that have ended.
  void let_go_of_held() {
    std::vector<Held> free;
    {
      const base::MutexLock lock(held_mutex);
      std::erase_if(held, [&](const Held& each) {
        if (clock.pinned_between(each.from, each.to)) return false;
        free.push_back(each);
        return true;
      });
    }
    for (const Held& each : free) extents->release(each.extent);
  }

  [[gnu::always_inline]] bool is_void(LogAddress address, std::uint64_t version) const noexcept {
    if (address.value >= voids_limit) [[likely]] {
      return false;
    }
    return hybridlog::is_void(voids, address.value, version);
  }
};

/// Whether the record at `at` is the key's, counts, and is nothing but a value: what the short ways
/// look for. `head` is its.
[[gnu::always_inline]] inline bool is_plain_record_of(const KeyView& key, const Parts& parts,
                                                      LogAddress address, const char* at,
                                                      const RecordHead& head) noexcept {
  return head.flags() == 0 && key.is_key_of(at, head) && !parts.is_void(address, head.version());
}

/// Where a walk down a chain came to.
struct Found {
  enum class Kind : std::uint8_t { nothing, memory, cold };
  Kind kind = Kind::nothing;
  LogAddress address;
  char* at = nullptr;  ///< in memory
  RecordHead head;     ///< in memory
};

/// As walk(), from anywhere in a chain.
inline Found walk_on(const Parts& parts, LogAddress from, const KeyView& key,
                     std::uint64_t max_version) noexcept {
  const std::uint64_t begin = parts.log.begin();
  const std::uint64_t head_address = parts.log.head();
  for (LogAddress address = from; address.value >= begin && address;) {
    if (address.value < head_address) return {Found::Kind::cold, address, nullptr, {}};
    char* const at = parts.log.at(address);
    const RecordHead head = load_head(at);
    if (head.version() <= max_version && key.is_key_of(at, head) &&
        !parts.is_void(address, head.version())) {
      return {Found::Kind::memory, address, at, head};
    }
    address = head.prev();
  }
  return {};
}

/// The first record of the key with a version up to `max_version`, from an address on down the
/// chain, as far as memory goes. Inside a guard.
[[gnu::always_inline]] inline Found walk(const Parts& parts, LogAddress from, const KeyView& key,
                                         std::uint64_t max_version) noexcept {
  const auto slowly = [&](LogAddress begin) -> Found {
    const Found found = walk_on(parts, begin, key, max_version);
    return {found.kind, found.address, found.at, found.head};  // in registers
  };
  if (from.value < parts.log.head()) [[unlikely]]
    return slowly(from);
  // Nearly always it is the first.
  char* const at = parts.log.at(from);
  const RecordHead head = load_head(at);
  if (head.version() > max_version || !key.is_key_of(at, head) ||
      parts.is_void(from, head.version())) [[unlikely]] {
    return slowly(head.prev());
  }
  return {Found::Kind::memory, from, at, head};
}

}  // namespace strata::backends::hybridlog
