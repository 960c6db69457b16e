#include "io/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace strata::io {

namespace {

/// A file with one number; nothing where it is missing or says "max".
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

}  // namespace

std::uint64_t ram_bytes() {
  return static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES))) *
         static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
}

std::optional<std::uint64_t> memory_limit_bytes(const std::string& root) {
  std::optional<std::uint64_t> least;
  // A group's limit and those of all groups above it. In a container the path of the group may be
  // the host's, which is not there; its own group is then the mount's root.
  const auto consider = [&](const std::string& mount, std::string group, const char* file) {
    while (true) {
      const std::optional<std::uint64_t> limit = number_in(mount + group + file);
      if (limit && (!least || *limit < *least)) least = limit;
      if (group.empty()) return;
      group.resize(group.rfind('/'));
    }
  };
  // "ID:CONTROLLERS:/GROUP"; version 2 has the id 0 and no controllers.
  std::ifstream groups(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line.compare(second + 1, 1, "/") != 0) continue;
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers == ",,") {
      consider(root + "/sys/fs/cgroup", std::move(group), "/memory.max");
    } else if (controllers.find(",memory,") != std::string::npos) {
      consider(root + "/sys/fs/cgroup/memory", std::move(group), "/memory.limit_in_bytes");
    }
  }
  return least;
}

std::uint64_t default_memory_bytes() {
  const std::uint64_t share = ram_bytes() / 4;
  const std::optional<std::uint64_t> limit = memory_limit_bytes();
  return limit ? std::min(share, *limit / 5 * 3) : share;
}

}  // namespace strata::io
