// Reference: what the keys of one thread must hold, kept in a map beside the engine.
//
// The clock moves while operations run, so a record may end during one of them: then the operation
// may see it or not. Times holds the clock before and after; between them either is right.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "consistency/view.h"

namespace strata::consistency {

/// The clock before and after an operation.
struct Times {
  std::int64_t before_ms;
  std::int64_t after_ms;
};

enum class Presence { absent, present, either };

class Reference {
 public:
  struct Entry {
    std::shared_ptr<const Bytes> value;  // shared with copies, which snapshots keep
    std::int64_t expires_ms = kNeverExpires;
  };

  void put(const Bytes& key, Bytes value, std::int64_t expires_ms = kNeverExpires);
  void remove(const Bytes& key) { entries_.erase(key); }
  void remove_range(const Bytes& begin, const Bytes& end);
  /// As EffectKind::patch; the record's presence must be sure.
  void patch(const Bytes& key, std::uint64_t offset, std::uint64_t erase, BytesView bytes,
             std::int64_t now_ms);
  void expire(const Bytes& key, std::int64_t expires_ms, std::int64_t now_ms);

  Presence presence(const Bytes& key, Times times) const;
  /// Whether no clock within the next hour decides over the key.
  bool settled(const Bytes& key, std::int64_t now_ms) const;
  /// The value, or null: known of nothing.
  const Bytes* find(const Bytes& key) const;
  std::size_t count(std::int64_t now_ms) const;
  /// When the next of those that are there ends; kNeverExpires: none ends.
  std::int64_t next_expiry(std::int64_t now_ms) const;

  /// Throws unless `found` is what is here, as seen at `times`; `what` names the way it was read.
  void require(const View& found, Times times, const std::string& what) const;
  /// The same of some keys only.
  void require(const View& found, std::span<const Bytes> keys, Times times,
               const std::string& what) const;

 private:
  static Presence presence(const Entry& entry, Times times);
  void require_key(const View& found, const Bytes& key, Times times, const std::string& what) const;

  std::map<Bytes, Entry> entries_;
};

}  // namespace strata::consistency
