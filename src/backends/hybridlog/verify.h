// Verify: every byte that a store's newest manifest names, read from the device and checked, with
// no index built and nothing changed.
//
// Always:  needs memory for one frame, one extent, and 64 bytes for each extent; may run beside the
//          process that has the store open, and then reads what is written meanwhile, too.
#pragma once

#include <string>

#include "io/file_system.h"
#include "strata/verification.h"

namespace strata::backends::hybridlog {

/// `folder`: what the manifests lie in. Damage is noted in `to`; an error is what kept it from
/// being read.
Result<> verify(io::FileSystem& files, const std::string& folder, Verification& to,
                VerifyProgress progress);

}  // namespace strata::backends::hybridlog
