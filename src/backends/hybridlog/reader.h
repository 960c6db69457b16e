// Reader: how a store answers reads: from memory inside one guard, the rest from the device with
// all cold records in flight together.
//
//   get                 one key: no lock, no clock; copy and validate
//   mget at present     all keys copied, then every bucket's word checked again; where that fails
//                       thrice, or a record is cold, the whole is read at a snapshot of its own
//   mget at a snapshot  each key for itself: first from memory, the rest by a ReadRun
//
// Threads: any.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backends/hybridlog/parts.h"
#include "backends/hybridlog/record.h"
#include "strata/capabilities.h"

namespace strata::backends::hybridlog {

/// The newest record of a key, be it a tombstone or expired.
struct Newest {
  bool there = false;      ///< there is a record
  bool tombstone = false;  ///< and it is one
  RecordInfo info;         ///< of what is no tombstone
  Value value;
  /// What must still be so for this to be still true, see still_newest().
  LogAddress address;  ///< of a record found in memory
  std::uint64_t version = 0;
  LogAddress cold_from;  ///< where the chain left memory, if it was followed beyond
  std::optional<ExtentRef> extent;
};

inline bool is_alive(const Newest& newest, std::int64_t now_ms) noexcept {
  return newest.there && !newest.tombstone &&
         (newest.info.expires_ms == kNeverExpires || newest.info.expires_ms > now_ms);
}

/// What there is to say of a record that is nothing but a value. Version 0: there is none.
struct PlainRecord {
  std::uint64_t version = 0;
  std::size_t value_bytes = 0;
};

class Reader {
 public:
  explicit Reader(Parts& parts) : parts_(parts) {}

  Result<std::optional<RecordInfo>> get(const KeyRef& key, Value& value, Sight sight,
                                        bool info_only);
  /// A get at present from what is in memory, inside a guard of the caller. False: memory alone
  /// cannot tell, and nothing is said.
  bool get_from_memory(const KeyRef& key, Value& value, bool info_only,
                       Result<std::optional<RecordInfo>>& to) const;
  /// What nearly every get at present comes to, inside a guard of the caller: the first record of
  /// its chain is the key's, at `lowest` or above it in memory, short, and nothing but a value, for
  /// which there is room. `look` is at its bucket. Else nothing is said. Calls nothing.
  [[gnu::always_inline]] static PlainRecord get_first(const Parts& parts, const KeyView& key,
                                                      HashIndex::Look look, std::uint64_t lowest,
                                                      Value& value) {
    // Where nothing was found its head is nowhere, which is below.
    if (look.head.value < lowest) [[unlikely]]
      return {};
    const char* const at = parts.log.at(look.head);
    const RecordHead head = load_head(at);
    const std::size_t bytes = head.value_bytes();
    if (bytes > kInPlaceBytesMax || !is_plain_record_of(key, parts, look.head, at, head))
        [[unlikely]] {
      return {};
    }
    char* const to = value.prepare_at_once(bytes);
    if (to == nullptr) [[unlikely]]
      return {};
    load_bytes(to, at + kRecordHeadBytes + key.image_bytes(), bytes);
    if (!HashIndex::unchanged(look)) [[unlikely]]
      return {};
    return {head.version(), bytes};
  }
  /// `at` null: the present.
  Result<> mget(std::span<Read> reads, const Sight* at, bool info_only);
  std::optional<Result<>> start_mget(std::span<Read> reads, const Sight* at, bool info_only,
                                     ReadCompletion& then);
  Result<> newest(const KeyView& key, bool with_value, Newest& to);
  /// The bytes of a record on the device, checked; nothing: its segment is gone.
  Result<std::optional<Bytes>> cold_record(LogAddress address);
  /// Some keys in the order of their hashes, from a hash on: `visit` gets each key of about
  /// `entries` chains, dead ones and some twice among them; gives where to go on, 0 at the end.
  Result<std::uint64_t> visit_keys(std::uint64_t hash, std::size_t entries,
                                   FunctionRef<void(BytesView physical)> visit);

 private:
  Parts& parts_;
};

/// Whether `now`, found under the bucket's lock, is what `seen` stands on.
inline bool still_newest(const Newest& seen, const Found& now) noexcept {
  if (now.kind == Found::Kind::memory) {
    return seen.address == now.address && seen.version == now.head.version();
  }
  return !seen.address && seen.cold_from == now.address;
}

}  // namespace strata::backends::hybridlog
