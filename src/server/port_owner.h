// port_owner(): which process of this machine listens on a TCP port, for the sentence that says
// that it is taken. Linux's /proc; what may not be read there is not known.
#pragma once

#include <cstdint>
#include <string>

namespace strata::server {

/// "redis-server (pid 1234)", or "another process".
std::string port_owner(std::uint16_t port);

}  // namespace strata::server
