// Recovery: from a manifest and the segments that it names to indexes, counts and expiry.
//
// Always:  only records that the manifest's version covers come back; everything is checked before
//          it is believed; nothing on disk is changed, but that files which no record names go
//          (unless the store is read-only).
#pragma once

#include <string>

#include "backends/hybridlog/parts.h"

namespace strata::backends::hybridlog {

/// Fills parts made for `manifest`, whose log was started with its segments.
Result<> recover(Parts& parts, const Manifest& manifest, const std::string& folder, bool read_only);

/// Opens the segments of a manifest.
Result<std::vector<std::shared_ptr<Segment>>> open_segments(io::FileSystem& files,
                                                            const std::string& folder,
                                                            const Manifest& manifest);

/// Reads all of a sealed segment and checks it: corruption names file and place.
Result<> check_segment(Segment& segment, std::uint64_t step_bytes);

}  // namespace strata::backends::hybridlog
