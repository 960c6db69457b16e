// Expirer: takes out records whose time has come, and counts those that were not taken out yet.
//
// Threads: any; one at a time takes out, and whoever counts waits for it.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/hybridlog/parts.h"
#include "backends/hybridlog/reader.h"
#include "backends/hybridlog/writer.h"

namespace strata::backends::hybridlog {

class Expirer {
 public:
  Expirer(Parts& parts, Reader& reader, Writer& writer)
      : parts_(parts), reader_(reader), writer_(writer) {}

  struct Swept {
    std::uint64_t looked_at = 0;
    std::uint64_t removed = 0;
  };
  /// Looks at up to `max` entries whose time has come.
  Result<Swept> sweep(std::size_t max) STRATA_EXCLUDES(mutex_);
  /// The same for whoever makes room: it waits neither for that nor for another sweep, which may
  /// wait for it; what cannot be done at once is left for later.
  Result<Swept> sweep_at_once(std::size_t max) STRATA_EXCLUDES(mutex_);
  /// Records of a keyspace (nothing: of all user keyspaces) that are stored and have not expired.
  /// It waits for a sweep, whose records are neither due any more nor gone yet.
  Result<std::uint64_t> count_alive(std::optional<Keyspace> space) STRATA_EXCLUDES(mutex_);

 private:
  /// The key of the record that an entry is about, and its version; nothing: it has gone.
  struct Named {
    Bytes key;
    std::uint64_t version = 0;
  };
  Result<std::optional<Named>> name_of(const ExpiryQueue::Entry& entry);
  bool anything_due() const;
  /// Those that are due and still stored.
  Result<std::uint64_t> count_expired(std::optional<Keyspace> space) STRATA_REQUIRES(mutex_);
  Result<Swept> sweep_locked(std::size_t max, Writer::Room room) STRATA_REQUIRES(mutex_);
  Result<Writer::Expired> remove_one(const ExpiryQueue::Entry& entry, Writer::Room room);

  Parts& parts_;
  Reader& reader_;
  Writer& writer_;
  base::Mutex mutex_;
};

}  // namespace strata::backends::hybridlog
