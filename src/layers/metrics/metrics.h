// What a metrics layer has counted, for whoever shows it (INFO, /metrics, `strata stats`).
//
// Find it from the top of a stack: `dynamic_cast<MetricsReader*>(&engine)`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/histogram.h"
#include "strata/result.h"

namespace strata::layers::metrics {

enum class Operation : std::uint8_t { get, mget, commit, update, scan, scan_some, count };
inline constexpr std::size_t kOperations = 7;
std::string_view operation_name(Operation operation);

inline constexpr std::size_t kCodes = static_cast<std::size_t>(Code::authentication) + 1;

/// One call in so many is timed.
inline constexpr std::uint64_t kTimedOneIn = 64;

struct MetricsReport {
  struct Figures {
    std::uint64_t calls = 0;     ///< exact
    base::Histogram latency_ns;  ///< of the calls that were timed
  };
  std::array<Figures, kOperations> operations;  ///< by Operation
  std::array<std::uint64_t, kCodes> errors{};   ///< by Code
  std::uint64_t bytes_in = 0;                   ///< keys and values of what was written
  std::uint64_t bytes_out = 0;                  ///< values that were read, keys and values of scans
  std::uint64_t keys_found = 0;                 ///< of get and mget
  std::uint64_t keys_absent = 0;
  std::uint64_t refused = 0;  ///< commits whose conditions did not hold

  const Figures& of(Operation operation) const {
    return operations[static_cast<std::size_t>(operation)];
  }
};

class MetricsReader {
 public:
  /// Threads: any. True of each figure at some moment of the call.
  virtual MetricsReport report() const = 0;

 protected:
  ~MetricsReader() = default;
};

}  // namespace strata::layers::metrics
