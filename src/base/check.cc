// The last words of a process whose own promise broke.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace strata::base {

void check_failed(const char* file, int line, const char* condition) noexcept {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace strata::base
