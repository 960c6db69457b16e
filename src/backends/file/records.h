// Records: one record is two files, and its sidecar's rename is the commit.
//
// Format:  docs/formats/file.md, "Writing" and "Recovery"
// Threads: read() from any. What writes or lists needs the record's stripe, which the caller shows
//          as a Guard. Stripes::Guard parameters mean just that.
// Always:  no file that a durable sidecar names is changed or removed; once a sync of a folder, or
//          of a write that was acknowledged before, has failed, every later write fails.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "backends/file/leaf.h"
#include "backends/file/pending.h"
#include "backends/file/space.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "strata/engine.h"

namespace strata::backends::file {

class Records {
 public:
  struct Options {
    std::string root;
    bool read_only = false;
    bool clean = true;  ///< the store was closed: every folder is in order
    std::int64_t interval_ms = 1000;
  };
  /// What a writer found under the stripe.
  struct Before {
    std::optional<Sidecar> sidecar;
    bool damaged = false;  ///< there is a sidecar that cannot be read
  };
  static constexpr std::size_t kPendingMax = 16'384;
  static constexpr std::int64_t kNoneSettlesMs = 30'000;  ///< durability none, at the latest

  Records(io::FileSystem& files, const base::Clock& clock, Options options)
      : files_(files), clock_(clock), options_(std::move(options)) {}

  /// The record, expired or not; its value too if `value` is given.
  Result<std::optional<Sidecar>> read(const RecordId& id, Value* value, Stripes& stripes);
  /// The same for who holds the stripe.
  Result<std::optional<Sidecar>> read(const RecordId& id, Value* value, const Stripes::Guard&);
  Result<Before> before(const RecordId& id, const Stripes::Guard& guard);

  /// Makes the record what `next` says. Without `value` it keeps the value file that it has.
  Result<> write(const RecordId& id, const Before& before, const Sidecar& next,
                 const BytesView* value, Durability durability, const Stripes::Guard&);
  Result<> remove(const RecordId& id, const Before& before, Durability durability,
                  const Stripes::Guard&);
  /// The records of a leaf, and what else is there. Puts it in order first, if that is due.
  Result<LeafFolder::Listing> list(Space& space, Leaf leaf, const Stripes::Guard& guard);
  /// The tops of a keyspace and the leaves of a top that are there, ascending.
  Result<std::vector<unsigned>> tops(const Space& space) const;
  Result<std::vector<Leaf>> leaves(const Space& space, unsigned top) const;

  /// Makes the records durable that should be by now (`all`: every one), at most `max` of them,
  /// the oldest first. Gives how many it did.
  Result<std::size_t> settle(bool all, std::size_t max, Stripes& stripes);
  /// Makes what one record is, or that it is not, durable.
  Result<> settle(const RecordId& id, const Stripes::Guard&);
  /// Makes the removal of these records of one leaf durable, with one sync for all.
  Result<> settle_removed(std::span<const RecordId> removed, const Stripes::Guard&);
  std::size_t pending() const noexcept { return pending_.size(); }
  /// Nothing, or why no write is taken any more.
  Result<> failed() const;

 private:
  LeafFolder leaf(const RecordId& id) const { return {files_, id.folder()}; }
  Result<std::optional<Sidecar>> load(const RecordId& id, bool& moved);
  bool checked(const Space& space, Leaf leaf) const;
  Result<> check(Space& space, Leaf leaf, const Stripes::Guard&);
  Result<> make_folders(const RecordId& id);
  Result<> sync_folders(Space& space, Leaf leaf);
  Result<> commit_now(const RecordId& id, const Before& before, const Sidecar& next);
  Result<> stage(const RecordId& id, const Before& before, const Sidecar& next,
                 Durability durability);
  Pending::Entry entry(const RecordId& id, Durability durability) const;
  Result<std::vector<std::string>> replaced_values(const RecordId& id, const Before& before) const;
  /// The error, which from now on every write gets.
  Error fail(const Error& cause);

  io::FileSystem& files_;
  const base::Clock& clock_;
  const Options options_;
  Pending pending_;
  mutable base::Mutex failure_mutex_;
  std::optional<Error> failure_ STRATA_GUARDED_BY(failure_mutex_);
};

/// What a record counts for in the census.
Census::Weight weigh(const Sidecar& sidecar);

}  // namespace strata::backends::file
