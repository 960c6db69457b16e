// How much memory this machine has, and how much of it a store takes when nobody says.
//
// Threads: any. Cost: some files of /proc and /sys are read each time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace strata::io {

std::uint64_t ram_bytes();
/// The least limit of the control groups (version 1 and 2) that this process is in; nothing: none.
/// `root` stands before /proc and /sys: for tests.
std::optional<std::uint64_t> memory_limit_bytes(const std::string& root = "");
/// 25 % of the machine's memory, and at most 60 % of what the control groups allow.
std::uint64_t default_memory_bytes();

}  // namespace strata::io
