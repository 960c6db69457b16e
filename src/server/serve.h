// serve: the program behind `strata serve`: a store, a server on it, and their life from the first
// line of output to a clean stop.
//
// Always: what a flag says wins over the file, the file over the default; nothing is printed but
//         the start-up lines (stdout), log lines and one sentence for what went wrong (stderr).
// Threads: call it once, on the main thread, before any other thread runs: it blocks the signals
//          that it waits for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "strata/engine.h"

namespace strata::server {

/// What the command line said; what it did not say is empty.
struct ServeOptions {
  std::string config_path;             ///< TOML; empty: no file
  std::string data_folder;             ///< empty: the file's, else "data"
  std::vector<std::string> addresses;  ///< to listen on; empty: 127.0.0.1
  std::optional<std::uint16_t> port;   ///< 6379; 0: one that the system picks (the lines say which)
  std::string unix_socket;             ///< path; empty: none
  unsigned unix_socket_mode = 0700;
  unsigned threads = 0;  ///< 0: as many as cores, at most 4
  std::string memory;    ///< budget as written, such as "4GiB"; empty: the file's
  std::optional<Durability> durability;
  std::string backend;   ///< of a new store; empty: the default one
  std::string password;  ///< clients must AUTH with it; empty: none
};

/// Serves until it is told to stop (SIGTERM, SIGINT, SHUTDOWN). Returns the exit code: 0 clean,
/// 1 failed, 11 the data folder is another process's.
int serve(const ServeOptions& options);

}  // namespace strata::server
