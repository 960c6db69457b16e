#include "backends/memory/transaction.h"

#include "base/quote.h"

namespace strata::backends::memory {

namespace {

Error conflict(BytesView key, std::string_view how) {
  return {Code::conflict, "memory store: key " + base::quote(key) + ", which this transaction " +
                              std::string(how) + ", was changed by another"};
}

}  // namespace

Result<std::unique_ptr<Transaction>> MemoryEngine::begin(const TransactionOptions& options) {
  STRATA_LET(std::unique_ptr<Snapshot> at, snapshot());
  return std::make_unique<MemoryTransaction>(*this, std::move(at), options);
}

MemoryTransaction::MemoryTransaction(MemoryEngine& engine, std::unique_ptr<Snapshot> snapshot,
                                     const TransactionOptions& options)
    : engine_(engine),
      snapshot_(std::move(snapshot)),
      read_version_(snapshot_->version()),
      options_(options),
      began_ms_(engine.clock().monotonic_ms()),
      overlay_(writes_, engine.limits().value_bytes_max) {}

Result<> MemoryTransaction::check_going() const {
  if (snapshot_ != nullptr) return {};
  return Error(Code::invalid_argument, "memory store: the transaction is over");
}

Result<> MemoryTransaction::mget(std::span<Read> reads, bool info_only) {
  STRATA_TRY(check_going());
  if (options_.isolation == Isolation::serializable) {
    for (const Read& read : reads) read_keys_.emplace(read.key.space, Bytes(read.key.key));
  }
  return overlay_.mget(reads, info_only, snapshot_->time_ms(),
                       [&](std::span<Read> below, bool without_values) {
                         ReadOptions options;
                         options.at = snapshot_.get();
                         options.info_only = without_values;
                         return engine_.mget(below, options);
                       });
}

Result<> MemoryTransaction::scan(const Range& range, const ScanOptions& options, ScanPage& page) {
  STRATA_TRY(check_going());
  ScanOptions at_snapshot = options;
  at_snapshot.at = snapshot_.get();
  return overlay_.scan(
      range, at_snapshot, snapshot_->time_ms(), page,
      [&](const Range& rest, const ScanOptions& asked, ScanPage& found) -> Result<> {
        STRATA_TRY(engine_.scan(rest, asked, found));
        if (options_.isolation != Isolation::serializable) return {};
        // What was looked at: to the end of the range, or to the last record of a full page.
        Range seen = rest;
        if (found.more() && !found.empty()) {
          const Bytes last(found[found.size() - 1].key);
          (asked.reverse ? seen.begin : seen.end) = asked.reverse ? last : last + '\0';
        }
        read_ranges_.push_back(std::move(seen));
        return {};
      });
}

Result<> MemoryTransaction::check_unchanged(const VersionStore& store, Sight sight) const {
  const auto check_range = [&](const Range& range, std::string_view how) -> Result<> {
    const std::optional<Bytes> changed = store.changed_in(range, sight);
    if (changed) return conflict(*changed, how);
    return {};
  };
  for (const Effect& effect : writes_.effects()) {
    if (effect.kind == EffectKind::delete_range) {
      STRATA_TRY(check_range(range_of(effect), "wrote"));
    } else if (store.changed(effect.key, sight)) {
      return conflict(effect.key.key, "wrote");
    }
  }
  for (const auto& [space, key] : read_keys_) {
    if (store.changed({space, key}, sight)) return conflict(key, "read");
  }
  for (const Range& range : read_ranges_) STRATA_TRY(check_range(range, "scanned"));
  return {};
}

Result<Commit> MemoryTransaction::commit(const WriteOptions& options) {
  STRATA_TRY(check_going());
  const std::unique_ptr<Snapshot> snapshot = std::move(snapshot_);  // over, whatever comes back
  if (options_.timeout_ms != 0 &&
      engine_.clock().monotonic_ms() - began_ms_ > options_.timeout_ms) {
    return Error(Code::timeout, "memory store: the transaction took longer than its " +
                                    std::to_string(options_.timeout_ms) + " ms");
  }
  if (options_.read_only && !writes_.effects().empty()) {
    return Error(Code::invalid_argument, "memory store: a read-only transaction has writes");
  }
  // Without writes it is as if all had happened at the snapshot.
  if (writes_.empty()) return Commit{read_version_, {}};
  const Sight sight{snapshot->version(), snapshot->time_ms()};
  return engine_.commit_if(
      writes_, options, [&](const VersionStore& store) { return check_unchanged(store, sight); });
}

}  // namespace strata::backends::memory
