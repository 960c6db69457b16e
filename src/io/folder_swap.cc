#include "io/folder_swap.h"

#include <algorithm>
#include <utility>

#include "io/files.h"

namespace strata::io {

namespace {
constexpr std::size_t kCopyBytes = 1024 * 1024;
}  // namespace

FolderSwap::FolderSwap(FileSystem& files, std::string folder)
    : files_(files), folder_(std::move(folder)), fresh_(folder_ + ".new"), old_(folder_ + ".old") {}

Result<> FolderSwap::recover(bool read_only) {
  STRATA_LET(const auto now, files_.stat(folder_));
  STRATA_LET(const auto before, files_.stat(old_));
  if (before && read_only && !now) {
    return Error(Code::unavailable,
                 "a restore of " + folder_ + " was interrupted; open the store once for writing");
  }
  if (read_only) return {};
  STRATA_TRY(remove_all(files_, old_ + ".gone"));
  // Both are there: the swap went through, and was to be confirmed or undone. It had not been
  // reported, so the old one it is.
  if (before) return undo();
  return begin();
}

Result<> FolderSwap::begin() { return remove_all(files_, fresh_); }

Result<> FolderSwap::swap() {
  STRATA_TRY(files_.rename(folder_, old_));
  STRATA_TRY(files_.rename(fresh_, folder_));
  return files_.sync_directory(parent_path(folder_));
}

Result<> FolderSwap::confirm() {
  STRATA_TRY(remove_all(files_, old_ + ".gone"));
  // By one rename, so that no crash leaves half of the old folder under its name.
  STRATA_TRY(files_.rename(old_, old_ + ".gone"));
  confirmed_ = true;
  return files_.sync_directory(parent_path(folder_));
}

void FolderSwap::clean() {
  // What is left is removed by the next recover().
  static_cast<void>(remove_all(files_, old_ + ".gone").has_value());
}

Result<> FolderSwap::undo() {
  if (std::exchange(confirmed_, false)) STRATA_TRY(files_.rename(old_ + ".gone", old_));
  STRATA_LET(const auto before, files_.stat(old_));
  if (before) {
    STRATA_TRY(remove_all(files_, folder_));
    STRATA_TRY(files_.rename(old_, folder_));
    STRATA_TRY(files_.sync_directory(parent_path(folder_)));
  }
  return remove_all(files_, fresh_);
}

Result<std::vector<std::string>> names_in(FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  STRATA_TRY(files.list_directory(folder, [&](std::string_view name, FileKind) {
    names.emplace_back(name);
    return true;
  }));
  std::ranges::sort(names);
  return names;
}

Result<std::uint64_t> bytes_in(FileSystem& files, const std::string& folder) {
  STRATA_LET(const std::vector<std::string> names, names_in(files, folder));
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    STRATA_LET(const std::optional<FileInfo> info, files.stat(join_path(folder, name)));
    if (info && info->kind == FileKind::file) bytes += info->bytes;
  }
  return bytes;
}

Result<std::uint64_t> copy_file(FileSystem& files, const std::string& from, const std::string& to) {
  STRATA_LET(const std::unique_ptr<File> source, files.open(from, OpenMode::read));
  STRATA_LET(const std::unique_ptr<File> target, files.open(to, OpenMode::create_new));
  Bytes buffer(kCopyBytes, '\0');
  std::uint64_t offset = 0;
  while (true) {
    STRATA_LET(const std::size_t bytes, source->pread(offset, buffer));
    if (bytes == 0) break;
    STRATA_TRY(target->append(BytesView(buffer).substr(0, bytes)));
    offset += bytes;
  }
  STRATA_TRY(target->sync());
  STRATA_TRY(target->close());
  return offset;
}

}  // namespace strata::io
