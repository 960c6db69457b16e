// Secrets: what of a call's arguments nobody else may see, in MONITOR and in the slow log.
#pragma once

#include <vector>

#include "server/command.h"

namespace strata::server {

/// The arguments with passwords replaced by "(redacted)"; `room` holds the copy if one is made.
/// A view of the same bytes: valid as long as both.
Arguments without_secrets(Arguments arguments, std::vector<BytesView>& room);

}  // namespace strata::server
