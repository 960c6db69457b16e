// Paths; what the helpers do to files is in file_system_test.cc, over each file system.
#include "io/files.h"

#include <gtest/gtest.h>

namespace strata::io {
namespace {

TEST(Paths, AreJoinedWithOneSlash) {
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("/", "b"), "/b");
  EXPECT_EQ(join_path("", "b"), "b");
}

TEST(Paths, HaveAParentAndAName) {
  EXPECT_EQ(parent_path("a/b"), "a");
  EXPECT_EQ(parent_path("a//b"), "a");
  EXPECT_EQ(parent_path("a/b/"), "a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("/"), "/");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(parent_path("."), ".");
  EXPECT_EQ(file_name("a/b"), "b");
  EXPECT_EQ(file_name("b"), "b");
}

}  // namespace
}  // namespace strata::io
