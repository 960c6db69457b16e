// STRATA_CHECK and STRATA_DCHECK: what our own program promised itself.
//
// Always: a condition that is false ends the process with file, line and the condition. Never use
//         either on bytes, arguments or answers from outside: those are errors (Result).
#pragma once

namespace strata::base {

/// Writes "file:line: check failed: condition" to stderr and aborts.
[[noreturn, gnu::cold]] void check_failed(const char* file, int line,
                                          const char* condition) noexcept;

}  // namespace strata::base

/// In every build: use it where a wrong step would reach the disk or a client.
#define STRATA_CHECK(condition)       \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::strata::base::check_failed(__FILE__, __LINE__, #condition))

#if defined(STRATA_DEBUG) || defined(STRATA_SANITIZED) || \
    defined(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
#define STRATA_DCHECK_IS_ON 1
#else
#define STRATA_DCHECK_IS_ON 0
#endif

/// In debug, sanitizer and fuzz builds: use it freely. Elsewhere the condition is compiled, so
/// that it stays correct, but never evaluated.
#if STRATA_DCHECK_IS_ON
#define STRATA_DCHECK(condition) STRATA_CHECK(condition)
#else
#define STRATA_DCHECK(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#endif
