// View: all records of a range at one snapshot, read in every way the engine has.
#pragma once

#include <map>

#include "conformance/subject.h"
#include "consistency/support.h"
#include "strata/capabilities.h"

namespace strata::consistency {

using View = std::map<Bytes, Stored>;

/// What a scan gives, page by page; it throws if the keys do not come in their order, each once.
View scanned(Ordered& engine, const Range& range, const ScanOptions& options);
/// What a cursor scan gives of the range; it throws if a key comes twice and differs.
View scanned_by_cursor(Engine& engine, const Range& range, const Snapshot* at,
                       std::uint32_t count = 16);
/// What one mget of the keys gives.
View read_at_once(Engine& engine, Keyspace space, const std::vector<Bytes>& keys,
                  const Snapshot* at);

/// Compacts; an engine may be unable to while snapshots are open (busy), and change nothing.
void compact(Engine& engine);

/// Throws, and says where, if the two differ.
void require_same(const View& one, const View& other, const std::string& what);

/// The range at a snapshot: by mget of `keys`, by scans both ways (if there are any) and by
/// cursor. Throws if one way shows other than another.
View view_at(Engine& engine, const Range& range, const std::vector<Bytes>& keys,
             const Snapshot& at);

}  // namespace strata::consistency
