// Writers that are killed, and writers that run out of room: what was acknowledged as durable is
// there afterwards, batches are whole, counts are exact.
//
// The writer is this program, started again with --writer, so that nothing of a store that was open
// before (threads, locks) lives in it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "backends/engine_fixture.h"
#include "backends/lmdb/backend.h"
#include "backends/rocksdb/backend.h"
#include "base/random.h"

namespace strata::backends {
namespace {

constexpr int kWriters = 2;

Result<std::unique_ptr<Engine>> open_backend(const std::string& backend,
                                             const std::string& folder) {
  Registry registry;
  rocksdb::add_to(registry);
  lmdb::add_to(registry);
  const BackendSpec* spec = registry.backend(backend);
  return spec->open(OptionValues(spec->options), Environment{.files = io::posix(),
                                                             .clock = base::system_clock(),
                                                             .folder = folder,
                                                             .durability = Durability::commit});
}

Bytes name_of(int writer, int number, char half) {
  return std::to_string(writer) + "/" + std::to_string(number) + half;
}

// Each batch has two halves and replaces the second half of the one before; what is acknowledged
// goes to stdout as one line by one write.
void write_batches(Engine& engine, int writer, std::size_t value_bytes) {
  WriteBatch batch;
  for (int number = 0;; ++number) {
    batch.clear();
    batch.put(at(name_of(writer, number, 'a')), Bytes(value_bytes, 'a'));
    batch.put(at(name_of(writer, number, 'b')), "b");
    if (number % 3 == 2) batch.remove(at(name_of(writer, number - 1, 'b')));
    const Result<Commit> done = engine.commit(batch);
    char line[64];
    const int bytes = done ? std::snprintf(line, sizeof(line), "%d %d\n", writer, number)
                           : std::snprintf(line, sizeof(line), "error %d\n",
                                           static_cast<int>(done.error().code()));
    if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(bytes)) != bytes || !done) return;
  }
}

// --writer BACKEND FOLDER VALUE_BYTES FILE_BYTES_MAX (0: no bound)
int run_writer(char** arguments) {
  const auto file_bytes_max = static_cast<rlim_t>(std::strtoull(arguments[3], nullptr, 10));
  if (file_bytes_max != 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{file_bytes_max, file_bytes_max};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
  }
  auto opened = open_backend(arguments[0], arguments[1]);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().to_string().c_str());
    return 1;
  }
  const auto value_bytes = static_cast<std::size_t>(std::strtoull(arguments[2], nullptr, 10));
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] { write_batches(**opened, writer, value_bytes); });
  }
  for (std::thread& writer : writers) writer.join();
  return 0;
}

/// What a writer told before it ended.
struct Told {
  std::vector<int> acknowledged = std::vector<int>(kWriters, 0);  ///< batches, by writer
  std::set<Code> errors;
};

class Crash : public testing::TestWithParam<const char*> {
 protected:
  /// Runs a writer; kills it once it has told `lines_max` lines (0: lets it end by itself).
  Told run(int lines_max, std::size_t value_bytes, std::uint64_t file_bytes_max) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const std::string value = std::to_string(value_bytes);
    const std::string file_max = std::to_string(file_bytes_max);
    const char* arguments[] = {"crash_test",  "--writer",       GetParam(), folder_.c_str(),
                               value.c_str(), file_max.c_str(), nullptr};
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execv("/proc/self/exe", const_cast<char**>(arguments));
      ::_exit(127);
    }
    ::close(ends[1]);
    Told told;
    std::FILE* lines = ::fdopen(ends[0], "r");
    char line[64];
    for (int seen = 0; std::fgets(line, sizeof(line), lines) != nullptr;) {
      int writer = 0;
      int number = 0;
      if (std::sscanf(line, "error %d", &number) == 1) {
        told.errors.insert(static_cast<Code>(number));
      } else if (std::sscanf(line, "%d %d", &writer, &number) == 2) {
        told.acknowledged[static_cast<std::size_t>(writer)] = number + 1;
      }
      if (++seen == lines_max) ::kill(child, SIGKILL);
    }
    std::fclose(lines);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << status;
    return told;
  }

  void check(const Told& told) {
    auto opened = open_backend(GetParam(), folder_);
    STRATA_OK(opened);
    Engine& engine = **opened;
    std::set<Bytes> found;
    Version newest;
    STRATA_OK(for_each(*engine.as<Ordered>(), Range::all(kSpace), {}, [&](const ScanEntry& entry) {
      found.emplace(entry.key);
      newest = std::max(newest, entry.info.version);
      return true;
    }));
    EXPECT_EQ(count(engine), found.size());
    for (int writer = 0; writer < kWriters; ++writer) {
      const int acknowledged = told.acknowledged[static_cast<std::size_t>(writer)];
      int there = 0;
      while (found.contains(name_of(writer, there, 'a'))) ++there;
      EXPECT_GE(there, acknowledged) << "writer " << writer;
      for (int number = 0; number < there; ++number) {
        const bool removed = number % 3 == 1 && number + 1 < there;
        EXPECT_EQ(found.contains(name_of(writer, number, 'b')), !removed)
            << "writer " << writer << " batch " << number << " of " << there;
      }
      EXPECT_FALSE(found.contains(name_of(writer, there, 'b')));
    }
    const auto next = engine.put(at("next"), "v");
    STRATA_OK(next);
    EXPECT_GT(*next, newest);
    STRATA_OK(engine.remove(at("next")));
    STRATA_OK(engine.check_invariants());
    STRATA_OK(engine.close());
  }

  io::TempFolder temp_;
  std::string folder_ = temp_.path();
};

TEST_P(Crash, WhatWasAcknowledgedSurvivesKilling) {
  constexpr std::uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  base::Random random(kSeed);
  for (int round = 0; round < 6 && !HasFailure(); ++round) {
    folder_ = temp_.path() + "/" + std::to_string(round);
    std::filesystem::create_directory(folder_);
    check(run(static_cast<int>(random.between(1, 150)), 100, 0));
  }
}

TEST_P(Crash, RunningOutOfRoomIsAnErrorThatLosesNothing) {
  const Told told = run(0, 200'000, 8 << 20);
  // A system that writes a part first leaves LMDB to guess why: then it is an error of the device.
  EXPECT_EQ(told.errors.size(), 1u);
  EXPECT_TRUE(told.errors.contains(Code::quota) || told.errors.contains(Code::io));
  EXPECT_GT(told.acknowledged[0] + told.acknowledged[1], 3);
  check(told);
}

INSTANTIATE_TEST_SUITE_P(Backends, Crash, testing::Values("rocksdb", "lmdb"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace strata::backends

int main(int argc, char** argv) {
  if (argc == 6 && std::string_view(argv[1]) == "--writer") {
    return strata::backends::run_writer(argv + 2);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
