// Threads, pools and locks; run under the thread sanitizer.
#include "base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <vector>

#include "base/mutex.h"
#include "base/thread_pool.h"

namespace strata::base {
namespace {

TEST(Thread, RunsUnderItsNameAndIsJoinedByItsEnd) {
  std::string name;
  {
    auto thread = Thread::start("strata-writer-number-7", [&name] {
      char text[16];
      ::pthread_getname_np(::pthread_self(), text, sizeof(text));
      name = text;
    });
    ASSERT_TRUE(thread);
  }
  EXPECT_EQ(name, "strata-writer-n");
}

TEST(Thread, TakesNoSignalsAndLeavesThoseOfItsStarterAlone) {
  sigset_t inside;
  Thread::start("t", [&inside] { ::pthread_sigmask(SIG_BLOCK, nullptr, &inside); })->join();
  EXPECT_EQ(::sigismember(&inside, SIGTERM), 1);
  EXPECT_EQ(::sigismember(&inside, SIGSEGV), 0);
  sigset_t here;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &here);
  EXPECT_EQ(::sigismember(&here, SIGTERM), 0);
}

TEST(Mutex, KeepsIncrementsWhole) {
  Mutex mutex;
  int count = 0;
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.push_back(*Thread::start("t", [&] {
        for (int n = 0; n < 1000; ++n) {
          const MutexLock lock(mutex);
          ++count;
        }
      }));
    }
  }
  EXPECT_EQ(count, 4000);
}

TEST(SharedMutex, LetsReadersInTogetherAndWritersAlone) {
  SharedMutex mutex;
  int a = 0;
  int b = 0;
  std::atomic<int> torn{0};
  std::atomic<int> inside{0};
  {
    std::vector<Thread> threads;
    threads.push_back(*Thread::start("writer", [&] {
      for (int n = 0; n < 1000; ++n) {
        const WriterLock lock(mutex);
        ++a;
        ++b;
      }
    }));
    for (int i = 0; i < 2; ++i) {
      threads.push_back(*Thread::start("reader", [&] {
        {
          // Both readers are inside before either leaves.
          const ReaderLock lock(mutex);
          ++inside;
          while (inside.load() < 2) std::this_thread::yield();
        }
        for (int n = 0; n < 1000; ++n) {
          const ReaderLock lock(mutex);
          if (a != b) ++torn;
        }
      }));
    }
  }
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(a, 1000);
}

TEST(CondVar, WakesAndTimesOut) {
  Mutex mutex;
  CondVar changed;
  bool ready = false;
  const MutexLock lock(mutex);
  EXPECT_FALSE(changed.wait_for_ms(mutex, 1) && ready);
  auto thread = Thread::start("t", [&] {
    const MutexLock inner(mutex);
    ready = true;
    changed.notify_one();
  });
  while (!ready) changed.wait_for_ms(mutex, 10'000);
  EXPECT_TRUE(ready);
}

TEST(ThreadPool, RunsEverythingSubmittedBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool({.name = "pool", .threads_max = 3});
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.submit([&ran] { ++ran; }));
  }
  EXPECT_EQ(ran.load(), 500);
}

TEST(ThreadPool, DrainWaitsForAllButKeepsThePool) {
  std::atomic<int> ran{0};
  ThreadPool pool({.threads_max = 2});
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.submit([&ran] { ++ran; }));
    pool.drain();
    EXPECT_EQ(ran.load(), round * 50);
  }
}

TEST(ThreadPool, RunsTasksThatTasksSubmit) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool({.threads_max = 2});
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(pool.submit([&] {
        ++ran;
        EXPECT_TRUE(pool.submit([&ran] { ++ran; }));
      }));
    }
  }
  EXPECT_EQ(ran.load(), 100);
}

TEST(ThreadPool, HasNoMoreThreadsAndNoMoreWaitingThanItsOptionsSay) {
  Mutex mutex;
  CondVar changed;
  int entered = 0;
  bool open = false;
  const auto blocked = [&] {
    const MutexLock lock(mutex);
    ++entered;
    changed.notify_all();
    while (!open) changed.wait(mutex);
  };
  ThreadPool pool({.name = "small", .threads_max = 2, .waiting_max = 3});
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(pool.submit(blocked));
  {
    const MutexLock lock(mutex);
    while (entered < 2) changed.wait(mutex);
  }
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.submit([] {}));
  const Result<> refused = pool.submit([] { FAIL() << "a refused task ran"; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::quota);
  EXPECT_EQ(refused.error().message(), "thread pool 'small': 3 tasks wait already");
  const MutexLock lock(mutex);
  open = true;
  changed.notify_all();
}

TEST(ThreadPool, StartsThreadsOnlyForTasks) {
  const auto count = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto before = count();
  ThreadPool pool({.threads_max = 8});
  EXPECT_EQ(count(), before);
  ASSERT_TRUE(pool.submit([] {}));
  pool.drain();
  EXPECT_EQ(count(), before + 1);
}

}  // namespace
}  // namespace strata::base
