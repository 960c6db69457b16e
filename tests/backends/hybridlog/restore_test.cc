// A restore that fails, wherever it does, leaves the store as it was, or closed, and never in
// between.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "backends/hybridlog/open_for_test.h"
#include "io/sim_file_system.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::backends::hybridlog {
namespace {

constexpr Keyspace kSpace{20};
using Content = std::map<std::string, std::string>;

/// One store on one disk.
class Life {
 public:
  void open() {
    auto opened = open_for_test({.files = files_,
                                 .clock = clock_,
                                 .folder = "store",
                                 .durability = Durability::interval,
                                 .interval_ms = 1000,
                                 .memory_bytes = 1},
                                {{"upkeep_thread", "false"}});
    ASSERT_TRUE(opened) << opened.error().to_string();
    engine_ = *std::move(opened);
  }
  /// What a checkpoint in "copy" holds, then what the store does, of which nothing is saved yet.
  void fill() {
    for (int i = 0; i < 30; ++i) put("key" + std::to_string(i), "old");
    put("large", Bytes(300'000, 'o'));
    ASSERT_TRUE(engine_->as<Persistence>()->checkpoint("copy"));
    checkpoint_ = content();
    for (int i = 0; i < 30; i += 2) put("key" + std::to_string(i), "new");
    put("large", Bytes(300'000, 'n'));
    put("more", "new");
    present_ = content();
  }
  void put(const std::string& key, BytesView value) {
    ASSERT_TRUE(engine_->put({kSpace, key}, value));
  }
  Content content() {
    Content all;
    ScanPage page;
    const Result<> scanned =
        engine_->as<Ordered>()->scan(Range::all(kSpace), {.page_bytes = 1 << 20}, page);
    EXPECT_TRUE(scanned) << scanned.error().to_string();
    for (std::size_t i = 0; i < page.size(); ++i) {
      all[Bytes(page[i].key)] = Bytes(page[i].value.substr(0, 8));
    }
    return all;
  }
  /// Restores while faults are there, and looks at what has become of the store. True: it worked.
  bool restore(const io::SimFault& fault) {
    files_.inject(fault);
    const Result<Checkpoint> restored = engine_->as<Persistence>()->restore("copy");
    files_.clear_faults();
    SCOPED_TRACE(restored ? "restored" : restored.error().to_string());
    const Content& expected = restored ? checkpoint_ : present_;
    Value value;
    const auto found = engine_->get({kSpace, "key1"}, value);
    if (found || restored || fault.times == 1) {
      EXPECT_TRUE(found) << found.error().to_string();
      EXPECT_EQ(content(), expected);
      put("after", "it");
      EXPECT_TRUE(engine_->check_invariants());
      const Result<> closed = engine_->close();
      // Only what may have been lost by a sync is not tried again.
      const bool lost =
          fault.call == io::SimCall::sync || fault.call == io::SimCall::sync_directory;
      EXPECT_TRUE(closed || lost) << closed.error().to_string();
      if (!closed && lost) {
        engine_.reset();
        open();
        EXPECT_EQ(content(), checkpoint_);  // of which a manifest was written
        EXPECT_TRUE(engine_->close());
        return false;
      }
    } else {
      EXPECT_EQ(found.error().code(), Code::closed);
      EXPECT_FALSE(engine_->put({kSpace, "after"}, "it"));
      static_cast<void>(engine_->close().has_value());
    }
    engine_.reset();
    open();
    Content again = content();
    EXPECT_EQ(again.erase("after"), found ? 1u : 0u);
    EXPECT_EQ(again, expected);
    EXPECT_TRUE(engine_->close());
    return restored.has_value();
  }

 private:
  base::SimClock clock_;
  io::SimFileSystem files_{1, clock_};
  std::unique_ptr<Engine> engine_;
  Content checkpoint_;
  Content present_;
};

TEST(Restore, ThatFailsChangesNothing) {
  using enum io::SimCall;
  int failed = 0;
  for (const io::SimCall call : {open, read, write, sync, list_directory, create_directory, remove,
                                 rename, sync_directory}) {
    for (const std::uint64_t times : {1u, 1'000'000u}) {
      // From the first such call on to where the last was passed.
      int worked = 0;
      for (std::uint64_t skip = 0; skip < 40 && worked < 2; ++skip) {
        SCOPED_TRACE(testing::Message() << "call " << static_cast<int>(call) << ", after " << skip
                                        << ", " << times << " times");
        Life life;
        life.open();
        life.fill();
        const bool done =
            life.restore({.call = call, .skip = skip, .times = times, .error_number = ENOSPC});
        worked = done ? worked + 1 : 0;
        failed += done ? 0 : 1;
        if (testing::Test::HasFailure()) return;
      }
    }
  }
  EXPECT_GT(failed, 100);
}

}  // namespace
}  // namespace strata::backends::hybridlog
