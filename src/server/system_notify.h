// system_notify(): tells systemd how the service is (sd_notify's datagram). Nothing where no
// service manager asked for it.
#pragma once

#include <string_view>

namespace strata::server {

/// "READY=1", "STOPPING=1".
void system_notify(std::string_view state);

}  // namespace strata::server
