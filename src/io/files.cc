// Helpers over the interface; nothing here knows which file system it works on.
#include "io/files.h"

#include <vector>

#include "base/quote.h"

namespace strata::io {

std::string join_path(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  while (path.size() > 1 && path[path.size() - 1] != '/') path.remove_suffix(1);
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return std::string(path);
}

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<> read_exactly(File& file, std::uint64_t offset, std::span<char> to) {
  STRATA_LET(const std::size_t n, file.pread(offset, to));
  if (n == to.size()) return {};
  return Error(Code::corruption, base::quote(file.path(), 512) + " ends at byte " +
                                     std::to_string(offset + n) + ", inside the " +
                                     std::to_string(to.size()) + " bytes from " +
                                     std::to_string(offset));
}

Result<std::optional<Bytes>> read_file(FileSystem& files, const std::string& path,
                                       std::uint64_t bytes_max) {
  STRATA_LET(const std::unique_ptr<File> file, files.open_if_exists(path));
  if (file == nullptr) return std::optional<Bytes>();
  STRATA_LET(const std::uint64_t bytes, file->size());
  if (bytes > bytes_max) {
    return Error(Code::quota, base::quote(path, 512) + " has " + std::to_string(bytes) +
                                  " bytes, more than the " + std::to_string(bytes_max) +
                                  " that are read at once");
  }
  Bytes content(static_cast<std::size_t>(bytes), '\0');
  STRATA_LET(const std::size_t n, file->pread(0, content));
  content.resize(n);
  return std::optional<Bytes>(std::move(content));
}

namespace {

Result<> write_whole(FileSystem& files, const std::string& path, BytesView bytes) {
  STRATA_LET(const std::unique_ptr<File> file, files.open(path, OpenMode::truncate));
  STRATA_TRY(file->append(bytes));
  STRATA_TRY(file->sync());
  return file->close();
}

}  // namespace

Result<> write_file_atomically(FileSystem& files, const std::string& path, BytesView bytes) {
  const std::string temporary = path + ".tmp";
  Result<> written = write_whole(files, temporary, bytes);
  if (written) written = files.rename(temporary, path);
  if (!written) {
    // The first error is the one to report; what is left behind is overwritten by the next try.
    (void)files.remove(temporary);
    return written;
  }
  return files.sync_directory(parent_path(path));
}

Result<> create_directories(FileSystem& files, const std::string& path) {
  std::vector<std::string> missing;
  for (std::string folder = path;; folder = parent_path(folder)) {
    STRATA_LET(const std::optional<FileInfo> info, files.stat(folder));
    if (info && info->kind == FileKind::directory) break;
    if (info) {
      return Error(Code::io, "create folder " + base::quote(path, 512) + ": " +
                                 base::quote(folder, 512) + " is not a folder");
    }
    missing.push_back(folder);
    if (parent_path(folder) == folder) break;
  }
  while (!missing.empty()) {
    STRATA_TRY(files.create_directory(missing.back()));
    STRATA_TRY(files.sync_directory(parent_path(missing.back())));
    missing.pop_back();
  }
  return {};
}

namespace {

struct Entry {
  std::string name;
  FileKind kind;
};

Result<> remove_entries(FileSystem& files, const std::string& path) {
  // By the batch: a folder is not listed while it changes, nor held in memory whole.
  constexpr std::size_t kBatch = 1024;
  std::vector<Entry> batch;
  do {
    batch.clear();
    STRATA_TRY(files.list_directory(path, [&batch](std::string_view name, FileKind kind) {
      batch.push_back({std::string(name), kind});
      return batch.size() < kBatch;
    }));
    for (const Entry& entry : batch) {
      const std::string child = join_path(path, entry.name);
      if (entry.kind == FileKind::directory) {
        STRATA_TRY(remove_entries(files, child));
        STRATA_TRY(files.remove_directory(child));
      } else {
        STRATA_TRY(files.remove(child));
      }
    }
  } while (!batch.empty());
  return {};
}

}  // namespace

Result<> remove_all(FileSystem& files, const std::string& path) {
  // remove() takes all but folders, a link to a folder included: that link is never listed.
  const Result<bool> removed = files.remove(path);
  if (removed) return {};
  STRATA_LET(const std::optional<FileInfo> info, files.stat(path));
  if (!info || info->kind != FileKind::directory) return Error(removed.error());
  STRATA_TRY(remove_entries(files, path));
  STRATA_TRY(files.remove_directory(path));
  return {};
}

}  // namespace strata::io
