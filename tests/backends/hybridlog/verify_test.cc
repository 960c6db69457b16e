// What is told of a store whose files are not what was written.
#include "backends/hybridlog/verify.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "backends/hybridlog/open_for_test.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/posix_file_system.h"
#include "io/temp_folder.h"
#include "strata/batch.h"
#include "strata/engine.h"

namespace strata::backends::hybridlog {
namespace {

namespace fs = std::filesystem;

constexpr Keyspace kSpace{20};
constexpr int kKeys = 3000;

class Verify : public testing::Test {
 protected:
  /// Little memory, and so short frames.
  Environment environment() {
    return {.files = io::posix(),
            .clock = base::system_clock(),
            .folder = temp.path(),
            .memory_bytes = 16 << 20};
  }
  /// Short and long values, of the short ones some replaced or removed; closed.
  void fill() {
    auto engine = open_for_test(environment(), {});
    ASSERT_TRUE(engine) << engine.error().to_string();
    base::Random random(7);
    for (int i = 0; i < kKeys; ++i) {
      const bool is_long = i % 100 == 0;
      const Bytes key =
          is_long ? "long " + std::to_string(i) : "key " + std::to_string(i % (kKeys / 2));
      ASSERT_TRUE(
          (*engine)->put({kSpace, key}, random.bytes(is_long ? 100'000 : random.uniform(1000))));
      if (i % 7 == 0 && !is_long) {
        ASSERT_TRUE((*engine)->remove({kSpace, key}));
      }
    }
    ASSERT_TRUE((*engine)->close());
  }
  Verification verify_now() {
    Verification found;
    const Result<> done =
        verify(io::posix(), temp.path() + "/db", found, [](const Verification&, std::uint64_t) {});
    EXPECT_TRUE(done) << done.error().to_string();
    return found;
  }
  /// All that the newest manifest names, and itself.
  std::vector<fs::path> files() {
    std::vector<fs::path> all;
    fs::path manifest;
    for (const fs::directory_entry& each : fs::recursive_directory_iterator(temp.path() + "/db")) {
      if (!each.is_regular_file()) continue;
      if (!each.path().filename().string().starts_with("MANIFEST")) {
        all.push_back(each.path());
      } else if (each.path() > manifest) {
        manifest = each.path();
      }
    }
    all.push_back(manifest);
    return all;
  }

  io::TempFolder temp;
};

void flip(const fs::path& path, std::uint64_t bit) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(bit / 8));
  const int byte = file.get() ^ 1 << bit % 8;
  file.seekp(static_cast<std::streamoff>(bit / 8));
  file.put(static_cast<char>(byte));
}

TEST_F(Verify, ReadsAllOfAWholeStore) {
  ASSERT_NO_FATAL_FAILURE(fill());
  const Verification found = verify_now();
  EXPECT_TRUE(found.whole()) << found.damage.front();
  EXPECT_GE(found.records, std::uint64_t{kKeys / 2});
  EXPECT_GT(found.bytes, 100'000U);
}

TEST_F(Verify, NamesTheFileOfAnyBitThatDiffers) {
  ASSERT_NO_FATAL_FAILURE(fill());
  base::Random random(11);
  for (const fs::path& path : files()) {
    for (int i = 0; i < 12; ++i) {
      const std::uint64_t bit = random.uniform(fs::file_size(path) * 8);
      flip(path, bit);
      const Verification found = verify_now();
      EXPECT_EQ(found.damaged, 1U) << path << ", bit " << bit;
      ASSERT_FALSE(found.damage.empty());
      EXPECT_NE(found.damage[0].find(path.filename().string()), std::string::npos)
          << found.damage[0];
      flip(path, bit);
    }
  }
  EXPECT_TRUE(verify_now().whole());
}

TEST_F(Verify, GoesOnBehindWhatIsDamaged) {
  ASSERT_NO_FATAL_FAILURE(fill());
  std::uint64_t segments = 0;
  for (const fs::path& path : files()) {
    if (path.extension() != ".segment") continue;
    ++segments;
    flip(path, 5000 * 8);
  }
  const Verification found = verify_now();
  EXPECT_GE(found.damaged, segments);
  EXPECT_GT(found.records, 0U) << "other frames and segments are read all the same";
}

TEST_F(Verify, NamesAFileThatIsMissing) {
  ASSERT_NO_FATAL_FAILURE(fill());
  for (const fs::path& path : files()) {
    if (path.filename().string().starts_with("MANIFEST")) continue;
    fs::rename(path, temp.path() + "/away");
    const Verification found = verify_now();
    EXPECT_GE(found.damaged, 1U) << path;
    ASSERT_FALSE(found.damage.empty());
    EXPECT_NE(found.damage[0].find(path.filename().string()), std::string::npos) << found.damage[0];
    fs::rename(temp.path() + "/away", path);
  }
}

TEST_F(Verify, OfAFolderWithoutAStoreIsAnError) {
  Verification found;
  fs::create_directory(temp.path() + "/db");
  const Result<> done =
      verify(io::posix(), temp.path() + "/db", found, [](const Verification&, std::uint64_t) {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::invalid_argument);
}

TEST_F(Verify, FindsNothingWrongBesideAStoreThatWrites) {
  Environment busy = environment();
  busy.interval_ms = 5;
  auto engine = open_for_test(busy, {});
  ASSERT_TRUE(engine) << engine.error().to_string();
  std::atomic<int> written{0};
  std::jthread writer([&](const std::stop_token& stop) {
    base::Random random(3);
    while (!stop.stop_requested()) {
      const Bytes key = std::to_string(random.uniform(2000));
      const std::size_t bytes = random.uniform(50) == 0 ? 70'000 : 900;
      ASSERT_TRUE((*engine)->put({kSpace, key}, random.bytes(bytes)));
      ++written;
    }
  });
  int looked = 0;
  while (looked < 25 || written < 50'000) {
    const Verification found = verify_now();
    ++looked;
    ASSERT_TRUE(found.whole()) << found.damage.front();
    ASSERT_FALSE(HasFailure());
  }
  writer.request_stop();
  writer.join();
  ASSERT_TRUE((*engine)->close());
}

}  // namespace
}  // namespace strata::backends::hybridlog
