// What this machine has, as far as a server's defaults depend on it.
#pragma once

#include <cstdint>
#include <string>

namespace strata::server {

/// Free space of the file system that holds `folder`; 0: not known.
std::uint64_t disk_free_bytes(const std::string& folder);
/// Cores that this process may use.
unsigned usable_cores();
/// Memory of this process that is in RAM.
std::uint64_t resident_bytes_now();

}  // namespace strata::server
