#include "backends/lmdb/records.h"

#include <algorithm>
#include <cstring>

#include "base/quote.h"

namespace strata::backends::lmdb {

namespace {

Error in_record(BytesView key, Error cause) {
  const Code code = cause.code();
  return Error(code, "lmdb: the record of " + base::quote(key), std::move(cause));
}

// The smallest string of the same length above all that start with `prefix`; empty: none.
Bytes successor(Bytes prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  }
  return prefix;
}

// One walk: where it stands, and what is left of the span.
class Walk {
 public:
  Walk(const Transaction& txn, Cursor cursor, const Span& span, bool reverse,
       std::size_t keys_at_once, FunctionRef<Result<bool>(const Found&)> visit)
      : txn_(txn),
        cursor_(std::move(cursor)),
        begin_(span.begin),
        end_(span.end),
        reverse_(reverse),
        keys_at_once_(keys_at_once),
        visit_(visit) {}

  Result<> run() {
    STRATA_LET(bool any, reverse_ ? to_end() : to_begin());
    bool go_on = true;
    while (any && go_on) {
      const std::optional<BytesView> group = kLongKeys.group(cursor_.key());
      if (outside(group ? *group : cursor_.key(), group.has_value())) break;
      if (group) {
        const Bytes prefix(*group);
        STRATA_TRY(go_over_group(prefix, go_on));
        if (go_on) {
          STRATA_LET(any, leave_group(prefix));
        }
      } else {
        STRATA_LET(go_on, show(cursor_.key(), cursor_.key(), cursor_.value()));
        if (go_on) {
          STRATA_LET(any, reverse_ ? cursor_.previous() : cursor_.next());
        }
      }
    }
    return {};
  }
  /// Of the map, that were looked at.
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  Result<bool> to_begin() {
    return cursor_.seek(BytesView(begin_).substr(0, kLongKeys.prefix_bytes()));
  }
  Result<bool> to_end() {
    if (!kLongKeys.is_long(end_)) return cursor_.seek_below(end_);
    const Bytes behind = successor(end_.substr(0, kLongKeys.prefix_bytes()));
    return behind.empty() ? cursor_.last() : cursor_.seek_below(behind);
  }

  // Whether nothing at or behind this entry, or group, can be in the span.
  bool outside(BytesView key, bool group) const {
    if (!reverse_) return key >= end_;
    return group ? key < BytesView(begin_).substr(0, key.size()) : key < begin_;
  }

  Result<> go_over_group(const Bytes& prefix, bool& go_on) {
    bool cut = true;
    while (cut && go_on) {
      codec::GroupOrder order(keys_at_once_, reverse_);
      STRATA_LET(bool any, cursor_.seek(prefix));
      while (any && cursor_.key().starts_with(prefix)) {
        BytesView bytes = cursor_.value();
        STRATA_LET(const BytesView rest, kLongKeys.take_rest(cursor_.key(), bytes));
        Bytes physical = kLongKeys.physical(cursor_.key(), rest);
        if (physical >= begin_ && physical < end_) order.offer(std::move(physical));
        STRATA_LET(any, cursor_.next());
      }
      cut = order.cut();
      STRATA_TRY(show_in_order(order, go_on));
    }
    return {};
  }

  Result<> show_in_order(const codec::GroupOrder& order, bool& go_on) {
    Result<> outcome;
    const auto show_one = [&](const Bytes& physical) -> Result<bool> {
      const Bytes stored = kLongKeys.stored(physical);
      STRATA_LET(const std::optional<BytesView> bytes,
                 txn_.get(txn_.environment().records(), stored));
      if (!bytes) return Error(Code::corruption, "lmdb: a long key has a wrong hash");
      return show(physical, stored, *bytes);
    };
    order.visit([&](const Bytes& physical) {
      const Result<bool> shown = show_one(physical);
      if (!shown) outcome = shown.error();
      go_on = shown && *shown;
      // What is left of the span lies behind it.
      if (reverse_) {
        end_ = physical;
      } else {
        begin_ = physical;
        begin_.push_back('\0');
      }
      return go_on;
    });
    return outcome;
  }

  Result<bool> leave_group(const Bytes& prefix) {
    if (reverse_) return cursor_.seek_below(prefix);
    const Bytes behind = successor(prefix);
    if (behind.empty()) return false;
    return cursor_.seek(behind);
  }

  Result<bool> show(BytesView physical, BytesView stored, BytesView bytes) {
    // The kernel maps what lies around a page, too; the next record may lie there, or anywhere.
    const std::uintptr_t block =
        reinterpret_cast<std::uintptr_t>(bytes.data()) / ResidentPages::kMappedAtOnce;
    if (block != block_) bytes_ += std::max(ResidentPages::kMappedAtOnce, bytes.size());
    block_ = block;
    const BytesView key = physical.substr(codec::kKeyspaceBytes);
    STRATA_LET(const codec::RecordView record, parse_stored(stored, key, bytes));
    return visit_(Found{physical, stored, record});
  }

  const Transaction& txn_;
  Cursor cursor_;
  Bytes begin_;
  Bytes end_;
  const bool reverse_;
  const std::size_t keys_at_once_;
  FunctionRef<Result<bool>(const Found&)> visit_;
  std::uint64_t bytes_ = 0;
  std::uintptr_t block_ = 0;  // of the map: where the last record lay
};

}  // namespace

Result<codec::RecordView> parse_stored(BytesView stored, BytesView key, BytesView bytes) {
  const Result<BytesView> rest = kLongKeys.take_rest(stored, bytes);
  if (!rest) return in_record(key, rest.error());
  if (!rest->empty() && !key.ends_with(*rest)) {
    return in_record(key, Error(Code::corruption, "another key lies under the same hash"));
  }
  Result<codec::RecordView> record = codec::parse_record(bytes, codec::Checksum::crc32c, key);
  if (!record) return in_record(key, record.error());
  return record;
}

Result<std::optional<codec::RecordView>> find_record(const Transaction& txn, const KeyRef& key) {
  const codec::PhysicalKey physical(key);
  const Bytes stored = kLongKeys.stored(physical.view());
  STRATA_LET(const std::optional<BytesView> bytes, txn.get(txn.environment().records(), stored));
  if (!bytes) return std::optional<codec::RecordView>();
  STRATA_LET(codec::RecordView record, parse_stored(stored, key.key, *bytes));
  return record;
}

Result<> write_record(Transaction& txn, const KeyRef& key, const RecordAttributes& attributes,
                      Version version, BytesView value) {
  const codec::PhysicalKey physical(key);
  const Bytes stored = kLongKeys.stored(physical.view());
  Bytes head;
  kLongKeys.put_rest(head, physical.view());
  codec::put_record_head(head, attributes, version, codec::Checksum::crc32c, key.key, value);
  STRATA_LET(char* const to,
             txn.reserve(txn.environment().records(), stored, head.size() + value.size()));
  std::memcpy(to, head.data(), head.size());
  if (!value.empty()) std::memcpy(to + head.size(), value.data(), value.size());
  return {};
}

Result<> walk(const Transaction& txn, const Span& span, bool reverse, std::size_t keys_at_once,
              FunctionRef<Result<bool>(const Found&)> visit) {
  if (span.begin >= span.end) return {};
  STRATA_LET(Cursor cursor, Cursor::open(txn, txn.environment().records()));
  Walk walk(txn, std::move(cursor), span, reverse, std::max<std::size_t>(1, keys_at_once), visit);
  const Result<> outcome = walk.run();
  txn.environment().resident().touched(walk.bytes());
  return outcome;
}

}  // namespace strata::backends::lmdb
