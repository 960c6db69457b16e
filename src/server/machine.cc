#include "server/machine.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

namespace strata::server {
namespace {

// A file with one number; none where it is missing or says "max".
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

// The limit of the control group, or of one above it.
std::optional<std::uint64_t> group_limit_bytes() {
  std::optional<std::uint64_t> least;
  const auto consider = [&](const std::string& path) {
    const std::optional<std::uint64_t> limit = number_in(path);
    if (limit && (!least || *limit < *least)) least = limit;
  };
  consider("/sys/fs/cgroup/memory/memory.limit_in_bytes");  // version 1
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("0::")) continue;  // version 2
    std::string group = line.substr(3);
    while (true) {
      consider("/sys/fs/cgroup" + group + "/memory.max");
      const std::size_t slash = group.rfind('/');
      if (slash == std::string::npos || group.empty()) break;
      group.resize(slash);
    }
  }
  return least;
}

}  // namespace

std::uint64_t ram_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t default_memory_bytes() {
  std::uint64_t budget = ram_bytes() / 4;
  if (const std::optional<std::uint64_t> limit = group_limit_bytes()) {
    budget = std::min(budget, *limit / 5 * 3);
  }
  return budget;
}

std::uint64_t disk_free_bytes(const std::string& folder) {
  struct statvfs status{};
  if (::statvfs(folder.c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

unsigned usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<unsigned>(std::max(CPU_COUNT(&cores), 1));
}

std::uint64_t resident_bytes_now() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace strata::server
