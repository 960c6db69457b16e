// FolderSwap: one folder put in the place of another, so that after any crash either the old one
// is there or the new one, whole.
//
//   <folder>       what is in use
//   <folder>.new   what is to take its place, while it is being filled
//   <folder>.old   what was in use, until the swap is confirmed
//
// Usage:   recover() before the folder is used; then begin(), fill fresh(), swap(), and, when the
//          new one proved good, confirm() and clean(), or undo().
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"

namespace strata::io {

class FolderSwap {
 public:
  FolderSwap(FileSystem& files, std::string folder);

  /// Takes back a swap that was not confirmed and removes what was left lying; with `read_only`
  /// it changes nothing, and fails (unavailable) where there is something to take back.
  Result<> recover(bool read_only);
  const std::string& fresh() const noexcept { return fresh_; }
  /// Makes sure that fresh() is not there.
  Result<> begin();
  Result<> swap();
  Result<> confirm();
  /// Removes the old folder, after confirm(); what cannot be removed now goes with recover().
  void clean();
  /// The old folder is in use again, whatever swap() and confirm() came to; not after clean().
  Result<> undo();

 private:
  FileSystem& files_;
  const std::string folder_;
  const std::string fresh_;
  const std::string old_;
  bool confirmed_ = false;
};

/// The names in a folder, sorted.
Result<std::vector<std::string>> names_in(FileSystem& files, const std::string& folder);
/// Bytes of the files in a folder, without those of folders in it.
Result<std::uint64_t> bytes_in(FileSystem& files, const std::string& folder);
/// Copies a file, durably but for its name, to where none is; gives its length.
Result<std::uint64_t> copy_file(FileSystem& files, const std::string& from, const std::string& to);

}  // namespace strata::io
