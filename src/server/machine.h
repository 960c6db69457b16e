// What this machine has, as far as a server's defaults depend on it.
#pragma once

#include <cstdint>
#include <string>

namespace strata::server {

std::uint64_t ram_bytes();
/// The budget when nobody sets one: 25 % of the memory, and at most 60 % of what the control
/// group allows.
std::uint64_t default_memory_bytes();
/// Free space of the file system that holds `folder`; 0: not known.
std::uint64_t disk_free_bytes(const std::string& folder);
/// Cores that this process may use.
unsigned usable_cores();
/// Memory of this process that is in RAM.
std::uint64_t resident_bytes_now();

}  // namespace strata::server
