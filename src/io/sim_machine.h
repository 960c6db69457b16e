// SimMachine: what the simulated file system, its files and its locks share.
//
// A call first asks to be admitted (is the machine up, shall the call wait or fail), which may
// sleep and so holds no lock; then it takes the mutex, asks again whether the machine is up, and
// has its effect.
//
// Threads: any; all that changes is under one mutex.
// Owns:    names and content. Borrows: the Clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "io/sim_file_system.h"
#include "io/sim_names.h"

namespace strata::io {

using SimNodePtr = SimNames::Node;

/// A kind of call.
struct SimCallTraits {
  SimCall call;
  const char* name;  // as the machine's own file system says it in errors
  bool mutating;
};

/// What is going on: given by admit(), needed under the mutex.
struct SimTicket {
  const char* call;
  std::uint64_t boot;
  int error_number;
};

inline constexpr SimCallTraits kSimOpenToRead{SimCall::open, "open", false};
inline constexpr SimCallTraits kSimOpenToWrite{SimCall::open, "open", true};
inline constexpr SimCallTraits kSimRead{SimCall::read, "read", false};
inline constexpr SimCallTraits kSimWrite{SimCall::write, "write", true};
inline constexpr SimCallTraits kSimSync{SimCall::sync, "sync", true};
inline constexpr SimCallTraits kSimTruncate{SimCall::truncate, "truncate", true};
inline constexpr SimCallTraits kSimAllocate{SimCall::allocate, "allocate", true};
inline constexpr SimCallTraits kSimClose{SimCall::close, "close", false};
inline constexpr SimCallTraits kSimStat{SimCall::stat, "stat", false};
inline constexpr SimCallTraits kSimList{SimCall::list_directory, "list", false};
inline constexpr SimCallTraits kSimCreateDirectory{SimCall::create_directory, "create folder",
                                                   true};
inline constexpr SimCallTraits kSimRemove{SimCall::remove, "remove", true};
inline constexpr SimCallTraits kSimRemoveDirectory{SimCall::remove, "remove folder", true};
inline constexpr SimCallTraits kSimRename{SimCall::rename, "rename", true};
inline constexpr SimCallTraits kSimSyncDirectory{SimCall::sync_directory, "sync folder", true};
inline constexpr SimCallTraits kSimLock{SimCall::lock, "lock", true};
inline constexpr SimCallTraits kSimSpace{SimCall::space, "space of", false};

/// A path's folder (null where there is none) and the name in it.
struct SimPlace {
  SimNodePtr folder;
  std::string name;  // empty: the root itself
  int error_number = 0;
};

struct SimMachine {
  SimMachine(std::uint64_t seed, base::Clock& its_clock, SimOptions its_options)
      : clock(its_clock),
        write_back_one_in(its_options.write_back_one_in),
        random(seed),
        names(its_clock.wall_ms(), used_bytes),
        capacity_bytes(its_options.capacity_bytes) {}

  Result<SimTicket> admit(const SimCallTraits& traits, const std::string& path,
                          std::optional<std::uint64_t> boot_of_file) STRATA_EXCLUDES(mutex);
  /// The machine may have gone down while the call waited.
  Result<> check_up(const SimTicket& ticket, const std::string& path) const STRATA_REQUIRES(mutex);
  SimPlace find(const std::string& path) STRATA_REQUIRES(mutex);
  /// The node, or null, in which case the place says why when it is more than absence.
  SimNodePtr look_up(const SimPlace& place) STRATA_REQUIRES(mutex);
  SimNodePtr add(const SimPlace& place, FileKind kind) STRATA_REQUIRES(mutex);
  std::uint64_t room_bytes() const STRATA_REQUIRES(mutex) {
    const std::uint64_t used = used_bytes.load(std::memory_order_relaxed);
    return used < capacity_bytes ? capacity_bytes - used : 0;
  }

  base::Clock& clock;
  const std::uint64_t write_back_one_in;
  SimUsedBytes used_bytes{0};

  base::Mutex mutex;
  base::Random random STRATA_GUARDED_BY(mutex);
  SimNames names STRATA_GUARDED_BY(mutex);
  std::uint64_t capacity_bytes STRATA_GUARDED_BY(mutex);
  std::vector<SimFault> faults STRATA_GUARDED_BY(mutex);
  std::uint64_t mutating_calls STRATA_GUARDED_BY(mutex) = 0;
  std::optional<std::uint64_t> calls_left STRATA_GUARDED_BY(mutex);
  std::uint64_t boot STRATA_GUARDED_BY(mutex) = 0;
  bool down STRATA_GUARDED_BY(mutex) = false;
};

}  // namespace strata::io
