// must(): the value of a Result, or the end of the benchmark with the reason: figures of a run in
// which something failed are worth nothing.
#pragma once

#include <errno.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>

#include "strata/result.h"

namespace strata::bench {

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().to_string());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// The same where the value is not wanted, or looked at where it is: moving it would be measured.
template <class T>
void must_be(const Result<T>& result) {
  if (!result) [[unlikely]]
    give_up(result.error().to_string());
}

}  // namespace strata::bench
