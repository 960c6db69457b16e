#include "cli/folder_walk.h"

#include <algorithm>

#include "io/files.h"

namespace strata::cli {

bool comes_before(std::string_view one, std::string_view other) {
  // A part's end sorts before every byte, as if '/' were the smallest of all.
  const auto rank = [](char c) { return c == '/' ? 0U : 1U + static_cast<unsigned char>(c); };
  return std::ranges::lexicographical_compare(one, other,
                                              [&](char a, char b) { return rank(a) < rank(b); });
}

Result<FolderWalk> FolderWalk::begin(io::FileSystem& files, std::string root, std::string after) {
  FolderWalk walk(files, std::move(root), std::move(after));
  STRATA_TRY(walk.enter(""));
  return walk;
}

Result<> FolderWalk::enter(const std::string& folder) {
  std::vector<Entry> found;
  const auto visit = [&](std::string_view name, io::FileKind kind) {
    if (kind == io::FileKind::other) {
      ++others_;
    } else {
      found.push_back({io::join_path(folder, name), kind == io::FileKind::directory});
    }
    return true;
  };
  STRATA_TRY(files_.list_directory(folder.empty() ? root_ : io::join_path(root_, folder), visit));
  std::sort(found.begin(), found.end(),
            [](const Entry& a, const Entry& b) { return comes_before(b.path, a.path); });
  rest_.insert(rest_.end(), std::make_move_iterator(found.begin()),
               std::make_move_iterator(found.end()));
  return {};
}

Result<std::optional<std::string>> FolderWalk::next() {
  while (!rest_.empty()) {
    const Entry entry = std::move(rest_.back());
    rest_.pop_back();
    if (entry.is_folder) {
      // All below a folder comes before what comes behind it: some of it may still be to do.
      const bool past = !after_.empty() && comes_before(entry.path, after_) &&
                        !after_.starts_with(entry.path + "/");
      if (!past) STRATA_TRY(enter(entry.path));
    } else if (after_.empty() || comes_before(after_, entry.path)) {
      return std::optional(entry.path);
    }
  }
  return std::optional<std::string>();
}

}  // namespace strata::cli
