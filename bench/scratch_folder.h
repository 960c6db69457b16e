// ScratchFolder: a new folder of a benchmark's own, gone with all its content at the end.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "must.h"

namespace strata::bench {

class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& parent) : path_(parent + "/strata-bench-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) give_up("cannot make a folder in " + parent);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace strata::bench
