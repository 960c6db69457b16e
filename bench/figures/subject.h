// Subject: what stands in a row of the tables: an engine with its options, std::unordered_map, or
// the empty loop.
//
// Threads: run() from as many as threads_max() says; the rest one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "figures/settings.h"
#include "figures/steps.h"
#include "figures/stores.h"
#include "strata/backend.h"

namespace strata::bench {

/// What a case keeps in its subjects.
struct Shape {
  std::uint64_t records = 0;
  std::size_t value_bytes = 100;
  std::uint64_t memory_bytes = 0;
  bool on_disk = false;        ///< else in memory, files of peers too
  std::size_t load_batch = 0;  ///< records a commit of the load; 0: one, or what suits the peer
  std::uint64_t data_bytes() const noexcept { return records * (kKeyBytes + value_bytes); }
};

class Subject {
 public:
  virtual ~Subject() = default;

  virtual const std::string& name() const noexcept = 0;
  /// How it was set up, in one line; empty: as it comes.
  virtual const std::string& how() const noexcept = 0;
  virtual unsigned threads_max() const noexcept { return ~0u; }
  /// Null where there is none.
  virtual Engine* engine() noexcept { return nullptr; }
  /// Puts all records in; gives inserts a second. Not counted: a compaction afterwards.
  virtual double load() = 0;
  /// Empty again, as at first.
  virtual void renew() = 0;
  virtual std::uint64_t run(const Workload& workload, std::span<const Step> steps,
                            const std::atomic<bool>& stop) = 0;
  /// Closes it and opens what it left; of an engine on disk.
  virtual void reopen() {}
  /// For checks; nothing: it has none.
  virtual std::optional<std::uint64_t> sum_of_counters() { return std::nullopt; }
  /// Closes it and lets go of all it held.
  virtual void close() = 0;
};

enum class Kinds : std::uint8_t { all, engines };

/// Those of settings.backends, not yet open: renew() opens one. A bare name whose backend has an
/// option "ordered" makes two. What this library was not built with is left out, and said.
std::vector<std::unique_ptr<Subject>> make_subjects(const Settings& settings, const Shape& shape,
                                                    Kinds kinds);

/// One line for each that has something to say of how it was set up.
void print_setup(std::span<const std::unique_ptr<Subject>> subjects);

}  // namespace strata::bench
