// Database: one open RocksDB with the column families of a Strata store, and its settings.
//
// Format:  docs/formats/rocksdb.md
// Owns:    the RocksDB handle and the block cache; whoever pins a value shares the cache.
// Always:  a folder of another format, or of another program, is refused and not changed.
// Threads: any, but the destructor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "strata/bytes.h"
#include "strata/result.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Iterator;
class Slice;
class Snapshot;
}  // namespace rocksdb

namespace strata::backends::rocksdb {

inline constexpr std::uint64_t kMiB = 1024 * 1024;

/// Our bytes as RocksDB takes them: nothing is copied.
::rocksdb::Slice slice(BytesView bytes);

/// What the options of the backend amount to.
struct Settings {
  std::uint64_t cache_bytes = 0;
  std::uint64_t write_buffer_bytes = 0;
  std::string compression;  ///< none, lz4 or zstd
  int background_jobs = 0;
  int open_files = 0;  ///< -1: all
  std::size_t read_threads = 0;
  bool read_only = false;
  bool create = true;
};

class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::string& folder,
                                                const Settings& settings);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  ::rocksdb::DB& db() noexcept { return *db_; }
  ::rocksdb::ColumnFamilyHandle* meta() const noexcept { return meta_; }
  ::rocksdb::ColumnFamilyHandle* records() const noexcept { return records_; }
  ::rocksdb::ColumnFamilyHandle* expiries() const noexcept { return expiries_; }
  const std::shared_ptr<::rocksdb::Cache>& cache() const noexcept { return cache_; }

  /// Makes durable what was written before.
  Result<> sync();
  /// Lets go, and reports what the destructor cannot.
  Result<> close();

 private:
  Database() = default;
  Result<> check_format(bool read_only);

  std::shared_ptr<::rocksdb::Cache> cache_;
  std::unique_ptr<::rocksdb::DB> db_;
  ::rocksdb::ColumnFamilyHandle* meta_ = nullptr;
  ::rocksdb::ColumnFamilyHandle* records_ = nullptr;
  ::rocksdb::ColumnFamilyHandle* expiries_ = nullptr;
};

/// An iterator's and a snapshot's end, for unique_ptr where RocksDB's types are only named.
struct IteratorEnd {
  void operator()(::rocksdb::Iterator* iterator) const noexcept;
};
using IteratorPtr = std::unique_ptr<::rocksdb::Iterator, IteratorEnd>;

}  // namespace strata::backends::rocksdb
