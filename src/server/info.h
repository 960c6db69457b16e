// INFO: the state of the server as text, in sections, under the field names of Redis 7.0.
//
// A field that has no meaning here shows what an idle Redis would show, because exporters look for
// it.
#pragma once

#include <span>
#include <string>

#include "server/instance.h"
#include "strata/bytes.h"

namespace strata::server {

/// The named sections; none: the default ones; "all" and "everything": all of them.
Result<std::string> info_text(Instance& instance, std::span<const BytesView> sections);

}  // namespace strata::server
