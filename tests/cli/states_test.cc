#include <gtest/gtest.h>

#include "cli/export_sink.h"
#include "cli/export_state.h"
#include "cli/import_state.h"

namespace strata::cli {
namespace {

template <class Decode>
void refuses_every_flipped_bit(const Bytes& good, Decode decode) {
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode(bad)) << "bit " << bit;
  }
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(decode(good.substr(0, n))) << n;
}

TEST(ImportState, ComesBackAndDamageIsSeen) {
  ImportState state;
  state.finished = true;
  state.source = {"/data/x.ndjson", 12345, -1, 99};
  state.target = "db0\n0\nid\n";
  state.offset = 1;
  state.line = 2;
  state.records = 3;
  state.skipped = 4;
  state.keys_before = 5;
  state.last_path = "a/b";
  EXPECT_EQ(decode_import_state(state.encode()).value(), state);
  refuses_every_flipped_bit(state.encode(),
                            [](const Bytes& bytes) { return bool(decode_import_state(bytes)); });
}

TEST(ExportState, ComesBackAndDamageIsSeen) {
  ExportState state;
  state.target = "data\ndb0\n\n0";
  state.bytes = 1;
  state.records = 2;
  state.skipped = 3;
  state.cursor = Bytes("k\0key", 5);
  EXPECT_EQ(decode_export_state(state.encode()).value(), state);
  refuses_every_flipped_bit(state.encode(),
                            [](const Bytes& bytes) { return bool(decode_export_state(bytes)); });
}

TEST(ExportedPath, StaysWithinItsFolder) {
  for (const char* good : {"a", "a/b", ".hidden", "a b/..c", "\xff"}) {
    EXPECT_EQ(path_fault(good), "") << good;
  }
  for (const char* bad :
       {"", "/", "/etc/passwd", "..", "a/../b", "a//b", "a/", ".", "./a", ".strata-export"}) {
    EXPECT_NE(path_fault(bad), "") << bad;
  }
  EXPECT_NE(path_fault(BytesView("a\0b", 3)), "");
  EXPECT_NE(path_fault(std::string(300, 'x')), "");
  EXPECT_NE(path_fault(std::string(5000, 'x')), "");
}

}  // namespace
}  // namespace strata::cli
