// What is done to files again and again, over any FileSystem.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/file_system.h"

namespace strata::io {

/// `folder` + '/' + `name`, with no doubled '/'. An empty folder gives the name alone.
std::string join_path(std::string_view folder, std::string_view name);
/// The folder that `path` lies in: "." for a plain name, "/" for what lies in the root.
std::string parent_path(std::string_view path);
/// What stands behind the last '/'.
std::string_view file_name(std::string_view path);

/// Fills all of `to`. A file that ends before: Code::corruption, naming path and offset.
Result<> read_exactly(File& file, std::uint64_t offset, std::span<char> to);

/// The whole file, or absent. Larger than `bytes_max`: Code::quota, and nothing was read.
Result<std::optional<Bytes>> read_file(FileSystem& files, const std::string& path,
                                       std::uint64_t bytes_max = std::uint64_t{1} << 30);

/// Replaces `path` by `bytes`, durably: at any moment, and after any crash, it holds all of the old
/// or all of the new. Uses `path` + ".tmp"; one caller at a time for one path.
Result<> write_file_atomically(FileSystem& files, const std::string& path, BytesView bytes);

/// Creates `path` and what is missing above it, and makes each new name durable.
Result<> create_directories(FileSystem& files, const std::string& path);

/// Removes a file, or a folder with all that is in it; follows no symbolic link out of it. Absent
/// is fine. Not durable until the parent is synced.
Result<> remove_all(FileSystem& files, const std::string& path);

}  // namespace strata::io
