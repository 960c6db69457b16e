// Records in an LMDB transaction: stored keys, envelopes with checksums, walks in key order.
//
// Format:  docs/formats/lmdb.md
// Threads: as the transaction.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/lmdb/transaction.h"
#include "codec/long_key.h"
#include "codec/physical_key.h"
#include "codec/record.h"
#include "strata/function_ref.h"

namespace strata::backends::lmdb {

/// 8 bytes below what LMDB takes: an expiry stands in front of the same key.
inline constexpr codec::LongKeys kLongKeys(511 - 8);

/// Checks and takes apart what is stored under `stored`; `key` is the key of the contract.
Result<codec::RecordView> parse_stored(BytesView stored, BytesView key, BytesView bytes);

/// The record of a key, expired or not; its value lies in the map.
Result<std::optional<codec::RecordView>> find_record(const Transaction& txn, const KeyRef& key);

/// Writes a record over what is there. `value` must not lie in the map.
Result<> write_record(Transaction& txn, const KeyRef& key, const RecordAttributes& attributes,
                      Version version, BytesView value);

/// Physical keys in [begin, end), of which `end` is never empty.
struct Span {
  Bytes begin;
  Bytes end;
};

/// What a walk shows. Valid during the call.
struct Found {
  BytesView physical;
  BytesView stored;
  codec::RecordView record;
  BytesView key() const noexcept { return physical.substr(codec::kKeyspaceBytes); }
};

/// Goes over the records of a span in key order until `visit` says false. Keys that share a
/// stored prefix are put into order `keys_at_once` at a time.
Result<> walk(const Transaction& txn, const Span& span, bool reverse, std::size_t keys_at_once,
              FunctionRef<Result<bool>(const Found&)> visit);

}  // namespace strata::backends::lmdb
