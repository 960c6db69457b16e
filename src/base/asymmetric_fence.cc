#include "base/asymmetric_fence.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/sanitizers.h"

namespace strata::base {

namespace {

bool enroll() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool ask() noexcept {
  // A thread sanitizer knows nothing of it.
  return STRATA_THREAD_SANITIZER == 0 && enroll();
}

bool fence() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

}  // namespace

bool asymmetric_fences() noexcept {
  static const bool there = ask();
  return there;
}

void heavy_fence() noexcept {
  // The child of a fork may have to enroll again.
  STRATA_CHECK(fence() || (enroll() && fence()));
}

}  // namespace strata::base
