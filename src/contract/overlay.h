// Overlay: a WriteBatch seen over a view of a store, as if it were committed already.
//
// A transaction reads through one, and so does whatever must see its own writes before the commit.
//
// Always:  effects count in their order; a record's version is that of the record below (0 where
//          there is none), which is what a condition of the same batch has to ask for.
// Borrows: the batch, which may grow, be cut and be cleared between two calls.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "strata/batch.h"
#include "strata/engine.h"
#include "strata/function_ref.h"
#include "strata/scan.h"

namespace strata::contract {

class Overlay {
 public:
  /// Answers as Engine::mget and Ordered::scan do, for the view below.
  using MgetBelow = FunctionRef<Result<>(std::span<Read> reads, bool info_only)>;
  using ScanBelow =
      FunctionRef<Result<>(const Range& range, const ScanOptions& options, ScanPage& page)>;

  Overlay(const WriteBatch& batch, std::uint64_t value_bytes_max)
      : batch_(batch), value_bytes_max_(value_bytes_max) {}

  /// Expiry is judged at `time_ms`. A patch that makes its value too long is an invalid_argument.
  Result<> mget(std::span<Read> reads, bool info_only, std::int64_t time_ms, MgetBelow below);
  /// options.at is the view's affair and passed on as it is.
  Result<> scan(const Range& range, const ScanOptions& options, std::int64_t time_ms,
                ScanPage& page, ScanBelow below);

 private:
  /// A record as the effects make it, step by step.
  struct State {
    bool there = false;
    RecordInfo info;
    bool own_value = false;  ///< `value` counts, not what lies below
    Bytes value;
  };

  void refresh();
  bool touches(const KeyRef& key) const;
  /// Applies all effects on `key` to `state`; `below` is the value under it.
  Result<> apply(const KeyRef& key, BytesView below, bool info_only, std::int64_t time_ms,
                 State& state) const;
  Result<> apply_one(const Effect& effect, BytesView below, bool info_only, std::int64_t time_ms,
                     State& state) const;
  bool emit(BytesView key, const State& state, BytesView below, const ScanOptions& options,
            ScanPage& page) const;
  Result<bool> merge(const Range& covered, const ScanPage& found, const ScanOptions& options,
                     std::int64_t time_ms, ScanPage& page) const;

  const WriteBatch& batch_;
  const std::uint64_t value_bytes_max_;
  std::uint64_t drops_ = 0;
  std::size_t indexed_ = 0;                            // effects in the two below
  std::map<KeyRef, std::vector<std::size_t>> by_key_;  // keys borrowed from the batch
  std::vector<std::size_t> ranges_;
};

}  // namespace strata::contract
