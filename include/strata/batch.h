// WriteBatch: effects and conditions that an engine checks and applies as one.
//
// Always: conditions are judged against the state before the batch; effects apply in the order
//         in which they were added; a batch that was refused has changed nothing.
// Owns:   copies of all keys and values, except values given by `put_borrowed`.
// Threads: one at a time. A committed batch is unchanged and may be committed again or cleared;
//         clear() keeps its memory, so a batch that is used again allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "strata/export.h"
#include "strata/record.h"

namespace strata {

enum class EffectKind : std::uint8_t {
  put,          ///< key holds value with attributes from now on
  remove,       ///< key is gone; no effect where it is absent
  patch,        ///< in the value, at `offset`, `erase` bytes go and `value` comes
  expire,       ///< the record's expiry becomes attributes.expires_ms; no effect where absent
  delete_range  ///< every key of the keyspace in [key, value) is gone; empty value: no end
};

/// One change. Views are valid until the batch is cleared or ends.
struct Effect {
  EffectKind kind = EffectKind::put;
  KeyRef key;
  BytesView value;
  std::uint64_t offset = 0;
  std::uint64_t erase = 0;
  RecordAttributes attributes;
};

enum class ConditionKind : std::uint8_t { absent, present, unchanged };

/// What must hold for the batch to apply. An expired record counts as absent.
struct Condition {
  ConditionKind kind;
  KeyRef key;
  Version version;  ///< of `unchanged`: the record has this version; 0: it is absent
};

class STRATA_API WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  WriteBatch& operator=(WriteBatch&&) noexcept;
  WriteBatch(const WriteBatch&) = delete;
  WriteBatch& operator=(const WriteBatch&) = delete;

  void put(const KeyRef& key, BytesView value,
           const RecordAttributes& attributes = kPlainAttributes);
  /// As put, without copying the value, which must stay unchanged until commit returns.
  void put_borrowed(const KeyRef& key, BytesView value,
                    const RecordAttributes& attributes = kPlainAttributes);
  void remove(const KeyRef& key);
  /// Replaces `erase` bytes at `offset` by `bytes`. A gap before `offset` fills with zeros; what
  /// is to be erased ends at the value's end. An absent key counts as an empty string value.
  /// Type and expiry stay.
  void patch(const KeyRef& key, std::uint64_t offset, std::uint64_t erase, BytesView bytes);
  void append(const KeyRef& key, BytesView bytes) { patch(key, kAtEnd, 0, bytes); }
  /// kNeverExpires makes it permanent.
  void expire(const KeyRef& key, std::int64_t expires_ms);
  void delete_range(Keyspace space, BytesView begin, BytesView end);

  void require_absent(const KeyRef& key);
  void require_present(const KeyRef& key);
  /// The record still has the version that a read reported (Version{}: the read found none).
  void require_unchanged(const KeyRef& key, Version version);

  std::span<const Effect> effects() const noexcept { return effects_; }
  std::span<const Condition> conditions() const noexcept { return conditions_; }
  bool empty() const noexcept { return effects_.empty() && conditions_.empty(); }
  /// Key and value bytes of all effects.
  std::uint64_t bytes() const noexcept { return bytes_; }
  void clear() noexcept;
  /// Drops the effects behind the first `count` (a savepoint); conditions stay.
  void truncate_effects(std::size_t count);
  /// How often effects were dropped: while it stays, effects() only grows at its end.
  std::uint64_t drops() const noexcept { return drops_; }

  /// As `offset` of a patch: the end of the value at the time of the commit.
  static constexpr std::uint64_t kAtEnd = ~std::uint64_t{0};

 private:
  class Arena;
  BytesView keep(BytesView bytes);
  Effect& add(EffectKind kind, const KeyRef& key, BytesView value);

  std::vector<Effect> effects_;
  std::vector<Condition> conditions_;
  std::unique_ptr<Arena> arena_;
  std::uint64_t bytes_ = 0;
  std::uint64_t drops_ = 0;
};

}  // namespace strata
