// RocksdbSnapshot: a sequence number of RocksDB that is held, and the version and time that belong
// to it.
//
// Threads: any; `held` is guarded by the engine.
#pragma once

#include "strata/capabilities.h"

namespace rocksdb {
class Snapshot;
}

namespace strata::backends::rocksdb {

class RocksdbEngine;

class RocksdbSnapshot final : public Snapshot {
 public:
  RocksdbSnapshot(RocksdbEngine& engine, const ::rocksdb::Snapshot* held, Version version,
                  std::int64_t time_ms);
  ~RocksdbSnapshot() override;
  RocksdbSnapshot(const RocksdbSnapshot&) = delete;
  RocksdbSnapshot& operator=(const RocksdbSnapshot&) = delete;

  Version version() const noexcept override { return version_; }
  std::int64_t time_ms() const noexcept override { return time_ms_; }
  const RocksdbEngine& engine() const noexcept { return engine_; }
  /// Null once the engine was closed.
  const ::rocksdb::Snapshot* held() const noexcept { return held_; }
  void let_go() noexcept { held_ = nullptr; }

 private:
  RocksdbEngine& engine_;
  const ::rocksdb::Snapshot* held_;
  const Version version_;
  const std::int64_t time_ms_;
};

}  // namespace strata::backends::rocksdb
