// STRATA_THREAD_SANITIZER: 1 in a build that looks for data races, else 0.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define STRATA_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRATA_THREAD_SANITIZER 1
#endif
#endif
#if !defined(STRATA_THREAD_SANITIZER)
#define STRATA_THREAD_SANITIZER 0
#endif
