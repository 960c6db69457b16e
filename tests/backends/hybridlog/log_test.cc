// The log by itself.
#include "backends/hybridlog/log.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <vector>

#include "backends/hybridlog/record.h"
#include "io/sim_file_system.h"

namespace strata::backends::hybridlog {
namespace {

// The kernel puts a mapping right below the one before it, so what is read behind the frame's end
// is read from pages that nobody may touch.
TEST(Log, AFillerOfOneWordAtTheEndOfAFrameIsPassedOver) {
  constexpr std::size_t kFrameBytes = 512 * 1024;
  constexpr std::size_t kGuardBytes = 1 << 20;
  void* const guard =
      ::mmap(nullptr, kGuardBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(guard, MAP_FAILED);
  base::SimClock clock;
  io::SimFileSystem files(1, clock);
  MemoryBudget budget(8 << 20);
  Epoch epoch;
  LogOptions options;
  options.frame_bits = 19;
  options.segment_bits = 22;
  options.on_disk = false;
  Log log(files, epoch, budget, options);
  LogStart start;
  start.next_segment = 1;
  ASSERT_TRUE(log.start(std::move(start)));

  const KeyView key({Keyspace{20}, "key"}, 7);
  const auto append = [&](std::size_t bytes) {
    const Bytes value(bytes - record_bytes(key.physical_bytes(), 0), 'v');
    NewRecord record;
    record.key = &key;
    record.value = value;
    EXPECT_EQ(record.bytes(), bytes);
    const std::optional<Log::Room> room = log.allocate(bytes);
    ASSERT_TRUE(room);
    write_record(room->at, record, 1, {});
  };
  const std::uint64_t first = log.tail();
  {
    const Epoch::Guard inside(epoch);
    append(kFrameBytes / 2);
    append(kFrameBytes / 2 - 8);
    append(64);  // goes to the next frame: a word is left in this one
  }
  EXPECT_EQ(log.tail(), first + kFrameBytes + 64);
  std::vector<std::size_t> seen;
  log.visit_memory(
      first, first + kFrameBytes,
      [&](LogAddress, const RecordHead&, std::size_t bytes) { seen.push_back(bytes); });
  EXPECT_EQ(seen, (std::vector<std::size_t>{kFrameBytes / 2, kFrameBytes / 2 - 8}));
  ::munmap(guard, kGuardBytes);
}

}  // namespace
}  // namespace strata::backends::hybridlog
