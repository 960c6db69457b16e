// FolderWalk: the files under a folder, by their paths in it, in an order that does not change.
//
// Always: folders are not left through symbolic links, which are counted and passed over; memory is
//         bounded by the names of the folders on the way. Paths order by their parts' bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace strata::cli {

/// Whether the path `one` comes before `other` in a walk.
bool comes_before(std::string_view one, std::string_view other);

class FolderWalk {
 public:
  /// Begins behind the path `after`, if it is not empty.
  static Result<FolderWalk> begin(io::FileSystem& files, std::string root, std::string after);
  /// The next file's path below the root; nothing at the end.
  Result<std::optional<std::string>> next();
  /// Entries that are neither files nor folders.
  std::uint64_t others() const noexcept { return others_; }

 private:
  struct Entry {
    std::string path;
    bool is_folder;
  };
  FolderWalk(io::FileSystem& files, std::string root, std::string after)
      : files_(files), root_(std::move(root)), after_(std::move(after)) {}
  Result<> enter(const std::string& folder);

  io::FileSystem& files_;
  std::string root_;
  std::string after_;
  std::vector<Entry> rest_;  // the next one last
  std::uint64_t others_ = 0;
};

}  // namespace strata::cli
