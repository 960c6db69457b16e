// LmdbSnapshot: a transaction that reads and stays open, with the time that belongs to it.
//
// Threads: any; LMDB wants the transaction used by one at a time, hence the mutex.
// Cost:    pages that it shows are not used again while it lives, and the map does not grow.
#pragma once

#include "base/mutex.h"
#include "strata/capabilities.h"

struct MDB_txn;

namespace strata::backends::lmdb {

class LmdbEngine;

class LmdbSnapshot final : public Snapshot {
 public:
  LmdbSnapshot(LmdbEngine& engine, MDB_txn* txn, Version version, std::int64_t time_ms)
      : engine_(engine), version_(version), time_ms_(time_ms), txn_(txn) {}
  ~LmdbSnapshot() override;
  LmdbSnapshot(const LmdbSnapshot&) = delete;
  LmdbSnapshot& operator=(const LmdbSnapshot&) = delete;

  Version version() const noexcept override { return version_; }
  std::int64_t time_ms() const noexcept override { return time_ms_; }
  const LmdbEngine& engine() const noexcept { return engine_; }

  base::Mutex& mutex() const STRATA_RETURN_CAPABILITY(mutex_) { return mutex_; }
  /// Null once the engine was closed.
  MDB_txn* txn() const STRATA_REQUIRES(mutex_) { return txn_; }
  MDB_txn* let_go() STRATA_REQUIRES(mutex_) { return std::exchange(txn_, nullptr); }

 private:
  LmdbEngine& engine_;
  const Version version_;
  const std::int64_t time_ms_;
  mutable base::Mutex mutex_;
  MDB_txn* txn_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::backends::lmdb
