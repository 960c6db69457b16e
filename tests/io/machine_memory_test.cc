// Limits of control groups, as the files of /proc and /sys tell them.
#include "io/machine_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/temp_folder.h"

namespace strata::io {
namespace {

class MemoryLimit : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = root.path() + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text << '\n';
  }
  TempFolder root;
};

TEST_F(MemoryLimit, IsTheLeastOfAGroupAndThoseAboveIt) {
  file("/proc/self/cgroup", "0::/a/b");
  EXPECT_EQ(memory_limit_bytes(root.path()), std::nullopt);
  file("/sys/fs/cgroup/a/b/memory.max", "max");
  EXPECT_EQ(memory_limit_bytes(root.path()), std::nullopt);
  file("/sys/fs/cgroup/a/memory.max", "3000");
  EXPECT_EQ(memory_limit_bytes(root.path()), 3000);
  file("/sys/fs/cgroup/a/b/memory.max", "5000");
  EXPECT_EQ(memory_limit_bytes(root.path()), 3000);
  file("/sys/fs/cgroup/memory.max", "1000");
  EXPECT_EQ(memory_limit_bytes(root.path()), 1000);
}

TEST_F(MemoryLimit, OfVersionOneIsFoundByTheNameOfItsController) {
  file("/proc/self/cgroup", "11:cpu,memory:/g\n3:freezer:/h\n0::/");
  file("/sys/fs/cgroup/memory/h/memory.limit_in_bytes", "1");
  EXPECT_EQ(memory_limit_bytes(root.path()), std::nullopt);
  file("/sys/fs/cgroup/memory/g/memory.limit_in_bytes", "7000");
  EXPECT_EQ(memory_limit_bytes(root.path()), 7000);
}

TEST_F(MemoryLimit, OfAContainerStandsAtTheMount) {
  file("/proc/self/cgroup", "4:memory:/docker/0123");
  file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9000");
  EXPECT_EQ(memory_limit_bytes(root.path()), 9000);
}

TEST_F(MemoryLimit, OfNonsenseIsNone) {
  file("/proc/self/cgroup", "\n:\n0::\nmemory\n1:memory:relative\n0::/x");
  file("/sys/fs/cgroup/x/memory.max", "lots");
  EXPECT_EQ(memory_limit_bytes(root.path()), std::nullopt);
}

TEST(DefaultMemory, IsAtMostAQuarter) {
  EXPECT_GT(default_memory_bytes(), 0U);
  EXPECT_LE(default_memory_bytes(), ram_bytes() / 4);
}

}  // namespace
}  // namespace strata::io
