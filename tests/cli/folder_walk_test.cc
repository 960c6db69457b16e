#include "cli/folder_walk.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/posix_file_system.h"
#include "io/temp_folder.h"

namespace strata::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> walk(const std::string& root, const std::string& after) {
  FolderWalk walk = FolderWalk::begin(io::posix(), root, after).value();
  std::vector<std::string> paths;
  while (const auto path = walk.next().value()) paths.push_back(*path);
  return paths;
}

TEST(FolderWalk, GoesOnBehindAnyPath) {
  const io::TempFolder temp;
  // 'a!' sorts before 'a/' as bytes, but a folder's files stand together.
  const std::vector<std::string> all = {"a/x", "a/y/z", "a!", "a.txt", "b"};
  for (const std::string& path : all) {
    fs::create_directories(fs::path(temp.path() + "/" + path).parent_path());
    std::ofstream(temp.path() + "/" + path) << path;
  }
  fs::create_symlink("/", temp.path() + "/link");
  EXPECT_EQ(walk(temp.path(), ""), all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(
        walk(temp.path(), all[i]),
        std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()));
  }
  EXPECT_EQ(walk(temp.path(), "a/y").front(), "a/y/z");
}

}  // namespace
}  // namespace strata::cli
