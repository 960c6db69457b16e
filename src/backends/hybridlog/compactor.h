// Compactor: takes the oldest segment of the log apart: what still counts goes to the tail, what a
// snapshot needs is put aside, the rest is forgotten, and the log begins one segment later.
//
// Threads: one at a time, under the upkeep's lock; readers and writers go on meanwhile.
// Always:  a record is left behind only when its chain was walked, and it was not found to count.
#pragma once

#include <memory>
#include <vector>

#include "backends/hybridlog/cold_fetch.h"
#include "backends/hybridlog/parts.h"
#include "backends/hybridlog/writer.h"

namespace strata::backends::hybridlog {

class Compactor {
 public:
  Compactor(Parts& parts, Reader& reader, Writer& writer)
      : parts_(parts), reader_(reader), writer_(writer) {}

  /// Whether the log takes more room than its live records may.
  bool wanted() const;
  /// Bytes of the log that count no more, about.
  std::uint64_t dead_bytes() const;
  /// Goes through about `records` records; true when a segment was finished with it, which then
  /// stands in `gone` if it had a file. Does nothing where only the tail's own segment is left.
  Result<bool> step(std::size_t records, std::vector<std::shared_ptr<Segment>>& gone);
  /// Whether there is a segment that could be taken apart.
  bool possible() const;
  bool running() const noexcept { return running_; }

 private:
  struct Candidate {
    LogAddress address;
    RecordHead head;
    Bytes record;
  };
  Result<> begin_segment();
  /// Reads the next frame's records.
  Result<> load();
  Result<> settle(const Candidate& candidate);
  /// Where a record stands in its chain.
  struct Standing {
    bool newest = false;
    LogAddress head;        ///< of the chain
    std::uint64_t end = 0;  ///< if not newest, and in the chain: the version of the next newer one
  };
  Result<Standing> standing_of(const KeyView& key, const Candidate& candidate);

  Parts& parts_;
  Reader& reader_;
  Writer& writer_;
  bool running_ = false;
  std::uint64_t from_ = 0;  // what of the segment is still to be read
  std::uint64_t end_ = 0;   // where its records end
  std::uint64_t next_begin_ = 0;
  std::vector<Candidate> candidates_;  // from the last to the first
  UnitBuffer buffer_;
};

}  // namespace strata::backends::hybridlog
