// Opening and closing, and the settings with their reasons.
#include "backends/rocksdb/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <vector>

#include "backends/rocksdb/meta.h"
#include "backends/rocksdb/status.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

constexpr const char* kRecordsName = "records";
constexpr const char* kExpiriesName = "expiries";

rdb::DBOptions db_options(const Settings& settings) {
  rdb::DBOptions options;
  options.create_if_missing = settings.create && !settings.read_only;
  options.create_missing_column_families = options.create_if_missing;
  options.max_background_jobs = settings.background_jobs;
  options.max_open_files = settings.open_files;
  // RocksDB writes a log of its own into the folder: two files of 4 MiB are kept.
  options.info_log_level = rdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = 4 * kMiB;
  options.keep_log_file_num = 2;
  // Both would start a thread, for figures that stats() asks for by itself.
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // Writes back while files grow, so that an fsync does not find gigabytes to write.
  options.bytes_per_sync = kMiB;
  // A quiet column family must not keep old log segments, which a start would have to replay.
  options.max_total_wal_size = 4 * settings.write_buffer_bytes;
  return options;
}

rdb::CompressionType compression_of(const std::string& name) {
  if (name == "lz4") return rdb::kLZ4Compression;
  if (name == "zstd") return rdb::kZSTD;
  return rdb::kNoCompression;
}

rdb::ColumnFamilyOptions family_options(const Settings& settings,
                                        const std::shared_ptr<rdb::Cache>& cache) {
  rdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // Index and filter blocks count against the budget, and stay while their files are young.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // Every put asks whether its key is there: the filter answers for keys that are not.
  table.filter_policy.reset(rdb::NewBloomFilterPolicy(10, false));
  table.format_version = 5;

  rdb::ColumnFamilyOptions options;
  options.table_factory.reset(rdb::NewBlockBasedTableFactory(table));
  options.compression = compression_of(settings.compression);
  options.level_compaction_dynamic_level_bytes = true;
  options.write_buffer_size = settings.write_buffer_bytes;
  return options;
}

rdb::ColumnFamilyOptions records_options(const Settings& settings,
                                         const std::shared_ptr<rdb::Cache>& cache) {
  rdb::ColumnFamilyOptions options = family_options(settings, cache);
  // A large value is written once to a blob file: compaction then moves its address, not it.
  options.enable_blob_files = true;
  options.min_blob_size = 128 * 1024;
  options.blob_file_size = 256 * kMiB;
  options.blob_compression_type = options.compression;
  options.enable_blob_garbage_collection = true;
  return options;
}

// Small families: their memory comes on top of the write buffer that was asked for.
rdb::ColumnFamilyOptions small_options(const Settings& settings,
                                       const std::shared_ptr<rdb::Cache>& cache) {
  rdb::ColumnFamilyOptions options = family_options(settings, cache);
  options.write_buffer_size = std::min<std::uint64_t>(8 * kMiB, settings.write_buffer_bytes);
  return options;
}

rdb::ColumnFamilyOptions meta_options(const Settings& settings,
                                      const std::shared_ptr<rdb::Cache>& cache) {
  rdb::ColumnFamilyOptions options = small_options(settings, cache);
  options.merge_operator = count_merge_operator();
  return options;
}

}  // namespace

rdb::Slice slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }

Result<std::unique_ptr<Database>> Database::open(const std::string& folder,
                                                 const Settings& settings) {
  std::unique_ptr<Database> database(new Database());
  const std::shared_ptr<rdb::Cache> cache = rdb::NewLRUCache(settings.cache_bytes);
  const std::vector<rdb::ColumnFamilyDescriptor> families = {
      {rdb::kDefaultColumnFamilyName, meta_options(settings, cache)},
      {kRecordsName, records_options(settings, cache)},
      {kExpiriesName, small_options(settings, cache)}};
  std::vector<rdb::ColumnFamilyHandle*> handles;
  rdb::DB* db = nullptr;
  const rdb::DBOptions options = db_options(settings);
  const rdb::Status status =
      settings.read_only ? rdb::DB::OpenForReadOnly(options, folder, families, &handles, &db)
                         : rdb::DB::Open(options, folder, families, &handles, &db);
  STRATA_TRY(check(status, "open the store in " + folder));
  database->cache_ = cache;
  database->db_.reset(db);
  database->meta_ = handles[0];
  database->records_ = handles[1];
  database->expiries_ = handles[2];
  STRATA_TRY(database->check_format(settings.read_only));
  return database;
}

Result<> Database::check_format(bool read_only) {
  std::string format;
  const rdb::Status status = db_->Get(rdb::ReadOptions(), meta_, kFormatKey, &format);
  if (status.ok()) {
    if (format == kFormatName) return {};
    return Error(Code::not_supported, "rocksdb: the store in " + db_->GetName() + " has format \"" +
                                          format + "\", and this version of Strata knows \"" +
                                          std::string(kFormatName) + "\"");
  }
  if (!status.IsNotFound()) return to_error(status, "read the format of the store");
  // New, or another program's: then there is something in it.
  const std::unique_ptr<rdb::Iterator> any(db_->NewIterator(rdb::ReadOptions(), meta_));
  any->SeekToFirst();
  if (read_only || any->Valid() || !any->status().ok()) {
    return Error(Code::not_supported, "rocksdb: " + db_->GetName() + " is not a Strata store");
  }
  rdb::WriteOptions durable;
  durable.sync = true;
  return check(db_->Put(durable, meta_, kFormatKey, kFormatName), "write the format of the store");
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rdb::ColumnFamilyHandle* handle : {meta_, records_, expiries_}) {
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
}

// A synced write of nothing, and not SyncWAL(): after a write that failed the latter runs into an
// assertion of RocksDB 7.8, which Debian builds with assertions, and takes the process down.
Result<> Database::sync() {
  rdb::WriteOptions durable;
  durable.sync = true;
  rdb::WriteBatch nothing;
  return check(db_->Write(durable, &nothing), "sync the log");
}

Result<> Database::close() {
  for (rdb::ColumnFamilyHandle** handle : {&meta_, &records_, &expiries_}) {
    STRATA_TRY(check(db_->DestroyColumnFamilyHandle(*handle), "close a column family"));
    *handle = nullptr;
  }
  const rdb::Status status = db_->Close();
  db_.reset();
  return check(status, "close the store");
}

void IteratorEnd::operator()(rdb::Iterator* iterator) const noexcept { delete iterator; }

}  // namespace strata::backends::rocksdb
