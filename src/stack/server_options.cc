#include "stack/server_options.h"

#include <array>

namespace strata::stack {

namespace {

constexpr std::array kServerOptions = {
    OptionSpec{.name = "bind",
               .fallback = "127.0.0.1",
               .help = "Addresses to listen on, separated by commas."},
    OptionSpec{.name = "port",
               .kind = OptionKind::integer,
               .fallback = "6379",
               .min = 0,
               .max = 65535,
               .help = "TCP port; 0: one that the system picks."},
    OptionSpec{.name = "unix_socket",
               .help = "Path of a Unix socket to listen on, too; empty: none."},
    OptionSpec{.name = "threads",
               .kind = OptionKind::integer,
               .fallback = "0",
               .min = 0,
               .max = 256,
               .help = "Threads that serve clients; 0: as many as cores, at most 4."},
    OptionSpec{.name = "max_clients",
               .kind = OptionKind::integer,
               .fallback = "10000",
               .min = 1,
               .max = 1'000'000,
               .help = "Connections at a time; further ones are refused."},
    OptionSpec{.name = "timeout",
               .kind = OptionKind::duration_ms,
               .fallback = "0",
               .min = 0,
               .help = "Closes a client that was idle for so long; 0: never."},
    OptionSpec{.name = "password_file",
               .help = "File whose first line clients must AUTH with; empty: no password."}};

}  // namespace

std::span<const OptionSpec> server_options() { return kServerOptions; }

}  // namespace strata::stack
