// Space: what the engine knows of one keyspace's folders while it runs. Stripes: the locks that
// keep writers of one folder apart.
//
// Lock order: Space::survey_mutex, a stripe (several: ascending), Space::mutex, then the mutexes of
//             Census and Pending, which call nobody.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backends/file/census.h"
#include "backends/file/names.h"
#include "base/mutex.h"
#include "strata/record.h"

namespace strata::backends::file {

struct Space {
  Space(Keyspace keyspace, std::string path) : number(keyspace), folder(std::move(path)) {}

  /// One of the 256 folders below the keyspace's. One bit a leaf. All but `checked` is guarded by
  /// the stripe of the top.
  struct Top {
    std::uint16_t made = 0;                 ///< the leaf's folder is there
    std::uint16_t synced = 0;               ///< and that is durable
    bool top_synced = false;                ///< the top's own name is durable
    std::atomic<std::uint16_t> checked{0};  ///< in order since the last crash; release and acquire
  };

  const Keyspace number;
  const std::string folder;
  std::array<Top, kTops> tops;
  Census census;
  base::Mutex survey_mutex;
  /// The leaves before this one were walked through since the store was opened.
  unsigned surveyed STRATA_GUARDED_BY(survey_mutex) = 0;
  base::Mutex mutex;
  bool made STRATA_GUARDED_BY(mutex) = false;    ///< the keyspace's folder is there
  bool synced STRATA_GUARDED_BY(mutex) = false;  ///< and that is durable
};

/// One record's whereabouts.
struct RecordId {
  Space* space = nullptr;
  Leaf leaf = 0;
  std::string name;

  std::string folder() const { return space->folder + "/" + leaf_path(leaf); }
  /// Unlike that of any other record of the store.
  std::string path() const { return folder() + "/" + name; }
};

/// A lock a top, shared by all keyspaces.
class Stripes {
 public:
  /// Holds what was asked for while it lives. The analysis cannot follow locks from an array.
  class Guard {
   public:
    Guard(Guard&& other) noexcept = default;
    Guard& operator=(Guard&&) = delete;
    ~Guard() STRATA_NO_THREAD_SAFETY_ANALYSIS {
      for (base::Mutex* mutex : held_) mutex->unlock();
    }

   private:
    friend class Stripes;
    Guard() = default;
    std::vector<base::Mutex*> held_;
  };

  Guard lock(unsigned top) STRATA_NO_THREAD_SAFETY_ANALYSIS {
    Guard guard;
    guard.held_.push_back(&mutexes_[top]);
    mutexes_[top].lock();
    return guard;
  }
  /// `tops` ascend, each once.
  Guard lock(const std::vector<unsigned>& tops) STRATA_NO_THREAD_SAFETY_ANALYSIS {
    Guard guard;
    guard.held_.reserve(tops.size());
    for (const unsigned top : tops) {
      mutexes_[top].lock();
      guard.held_.push_back(&mutexes_[top]);
    }
    return guard;
  }

 private:
  std::array<base::Mutex, kTops> mutexes_;
};

}  // namespace strata::backends::file
