// Verification: what a reading of a whole store came to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "strata/export.h"
#include "strata/function_ref.h"
#include "strata/result.h"

namespace strata {

struct STRATA_API Verification {
  static constexpr std::size_t kShownMax = 1000;

  std::uint64_t records = 0;        ///< read whole; of a log also those that count no more
  std::uint64_t bytes = 0;          ///< read and checked
  std::uint64_t damaged = 0;        ///< places that are not what was written
  std::vector<std::string> damage;  ///< a sentence for each of the first kShownMax

  bool whole() const noexcept { return damaged == 0; }
  /// Takes Code::corruption down as a place; gives back every other error.
  Result<> note(const Result<>& found);
};

/// Told now and then what has been read, of about how many bytes (0: not known).
using VerifyProgress = FunctionRef<void(const Verification& so_far, std::uint64_t bytes_total)>;

}  // namespace strata
