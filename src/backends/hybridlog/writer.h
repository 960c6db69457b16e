// Writer: how a batch is judged and applied as one.
//
//   plan      one entry a key, with what the batch does to it in order
//   read      only what conditions, patches and expiry changes stand on; may wait for the device
//   compute   what each key becomes
//   install   all buckets locked in the order of their hashes; what was read must still be so; the
//             version is taken; records are written and linked; unlock
//
// A plain put reads nothing, be the old record in memory, on the device or nowhere. What fails in
// `install` because somebody was faster begins anew at `read`.
//
// Threads: any.
// Always:  a batch that fails has changed nothing; of one key versions strictly rise.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backends/hybridlog/reader.h"

namespace strata::backends::hybridlog {

class Writer {
 public:
  Writer(Parts& parts, Reader& reader, const Limits& limits)
      : parts_(parts), reader_(reader), limits_(limits) {}

  /// The short way for what is written most, inside a guard of the caller: a plain value over a
  /// live one of as many bytes, in a record in memory that comes first in its chain and that no
  /// snapshot needs, in its place. If `expected` is not 0: only if that is its version. Version{}:
  /// the long way has to be gone. (A std::optional of it would be put together in memory, byte and
  /// word, and waited for.)
  /// `look` is at the key's bucket.
  static Version put_in_place(Parts& parts, const KeyView& key, HashIndex::Look look,
                              BytesView value, std::uint64_t expected);
  /// Without an ordered index: one that deletes a range must be alone in the store.
  Result<Commit> commit(const WriteBatch& batch);
  Result<Commit> update(const KeyRef& key, UpdateFunction function);
  enum class Room : std::uint8_t { waited_for, if_there };
  enum class Expired : std::uint8_t { removed, not_expired, no_room };
  /// Makes a record that has expired a tombstone. Whoever makes room must not wait for it.
  Result<Expired> expire(BytesView physical_key, Room room);

  enum class Move : std::uint8_t { moved, changed, no_room, no_memory };
  /// For compaction: the newest record of its key, at `from`, goes to the tail, if the chain still
  /// begins with `head_seen`. `record`: its padded bytes.
  Move move_to_tail(const KeyView& key, LogAddress from, LogAddress head_seen, BytesView record,
                    std::int64_t expires_ms);
  /// The same for a tombstone that no snapshot is older than: the key goes from the indexes.
  Move forget(const KeyView& key, LogAddress tombstone, LogAddress head_seen);

 private:
  struct Planned;
  struct Plan;

  /// The part of put_in_place() under the bucket's hold: the version, or 0 and nothing has changed.
  static std::uint64_t overwrite(Parts& parts, const KeyView& key, BytesView value,
                                 std::uint64_t expected, LogAddress address, char* at);
  Result<> make_plan(const WriteBatch& batch, Plan& plan);
  Result<std::vector<Bytes>> keys_in_range(const Effect& range);
  Result<> read(Plan& plan);
  /// The first condition that does not hold.
  static std::optional<std::size_t> failed_condition(const WriteBatch& batch, const Plan& plan,
                                                     std::int64_t now_ms);
  Result<> compute(const WriteBatch& batch, Plan& plan, std::int64_t now_ms);
  Result<> compute_one(const WriteBatch& batch, Planned& planned, std::int64_t now_ms);
  Result<> settle(Planned& planned);

  enum class Outcome : std::uint8_t { done, changed, no_room, no_memory };
  Outcome install(Plan& plan, std::uint64_t& version);
  /// Gives back what a plan that was not installed has written.
  void drop_extents(Plan& plan);
  /// Reads, computes and installs until nobody was faster.
  Result<Commit> run(Plan& plan, const WriteBatch& batch);
  Result<std::optional<std::uint64_t>> try_install(Plan& plan);
  Result<> check_put(const KeyRef& key, const Update& update) const;
  bool lock_all(Plan& plan);
  /// Whether all that the plan read is so at one and the same moment.
  bool still_as_read(Plan& plan);
  /// Whether every key of a range that is deleted is in the plan. Under its locks.
  bool has_all_of_ranges(Plan& plan);
  bool make_rooms(Plan& plan, std::uint64_t pin);
  bool link_all(Plan& plan, std::uint64_t version, std::uint64_t pin);
  bool was_there(const Planned& planned);
  void account(Planned& planned);
  void after_install(Plan& plan, std::uint64_t version);
  Result<> wait_for_room(const Plan& plan);
  Error out_of_memory() const;

  Parts& parts_;
  Reader& reader_;
  const Limits limits_;
};

// Nothing else changes with it: no index, no count, no length.
[[gnu::always_inline]] inline Version Writer::put_in_place(Parts& parts, const KeyView& key,
                                                           HashIndex::Look look, BytesView value,
                                                           std::uint64_t expected) {
  if (value.size() > kInPlaceBytesMax) return {};
  // Where nothing was found its head is nowhere, which is below.
  if (look.head.value < parts.log.read_only()) return {};
  // The record is asked for before its bucket is held: that makes the hold short.
  char* const at = parts.log.at(look.head);
  __builtin_prefetch(at, 1);
  __builtin_prefetch(at + 64, 1);
  HashIndex::Hold hold;
  if (!hold.take(look)) [[unlikely]]
    return {};
  const std::uint64_t version = overwrite(parts, key, value, expected, look.head, at);
  hold.release(version != 0);
  return Version{version};
}

[[gnu::always_inline]] inline std::uint64_t Writer::overwrite(Parts& parts, const KeyView& key,
                                                              BytesView value,
                                                              std::uint64_t expected,
                                                              LogAddress address, char* at) {
  const RecordHead head = load_head(at);
  if (address.value < parts.log.read_only() || head.value_bytes() != value.size() ||
      !is_plain_record_of(key, parts, address, at, head) ||
      (expected != 0 && head.version() != expected)) [[unlikely]] {
    return 0;
  }
  std::uint64_t version = parts.clock.now();
  if (head.version() >= version) version = parts.clock.raise();
  if (parts.clock.newest_pin_below(version) >= head.version()) return 0;
  store_bytes(at + kRecordHeadBytes + key.image_bytes(), value.data(), value.size());
  store_word(at + 8, (head.word1 & ~kVersionMask) | version);
  if (!parts.dirty.load(std::memory_order_relaxed)) [[unlikely]]
    parts.dirty.store(true);
  return version;
}

}  // namespace strata::backends::hybridlog
