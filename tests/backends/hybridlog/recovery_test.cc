// What a store is after it was closed and opened again.
#include <gtest/gtest.h>

#include <string>
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

constexpr Keyspace kSpace{20};

// So many keys that some agree in all bits that a small index knows of a hash: those must not
// hide one another when the index is built again.
TEST(Recovery, FindsEveryKeyOfAnIndexThatHadGrown) {
  constexpr std::uint64_t kKeys = 100'000;
  constexpr std::uint64_t kGroup = 1000;
  const io::TempFolder temp;
  const Environment environment{
      .files = io::posix(), .clock = base::system_clock(), .folder = temp.path()};
  for (int round = 0; round < 2; ++round) {
    auto opened = open_for_test(environment, {});
    ASSERT_TRUE(opened) << opened.error().to_string();
    Engine& engine = **opened;
    if (round == 0) {
      WriteBatch batch;
      for (std::uint64_t i = 0; i < kKeys; ++i) {
        const Bytes key = std::to_string(base::mix64(i));
        batch.put({kSpace, key}, std::to_string(i));
        if (batch.effects().size() < 100 && i + 1 < kKeys) continue;
        ASSERT_TRUE(engine.commit(batch));
        batch.clear();
      }
    }
    std::uint64_t lost = 0;
    std::vector<Bytes> keys(kGroup);
    std::vector<Read> reads(kGroup);
    for (std::uint64_t from = 0; from < kKeys; from += kGroup) {
      for (std::uint64_t i = 0; i < kGroup; ++i) {
        keys[i] = std::to_string(base::mix64(from + i));
        reads[i].key = {kSpace, keys[i]};
      }
      const Result<> done = engine.mget(reads, {});
      ASSERT_TRUE(done) << done.error().to_string();
      for (std::uint64_t i = 0; i < kGroup; ++i) {
        if (!reads[i].info || reads[i].value.view() != std::to_string(from + i)) ++lost;
      }
    }
    EXPECT_EQ(lost, 0u) << "round " << round;
    EXPECT_EQ(*engine.count(kSpace), kKeys);
    ASSERT_TRUE(engine.close());
  }
}

}  // namespace
}  // namespace strata::backends::hybridlog
