// Counts and the version clock, and their bytes in the default column family.
#include "backends/rocksdb/meta.h"

#include <rocksdb/db.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <string>

#include "backends/rocksdb/database.h"
#include "backends/rocksdb/status.h"
#include "base/coding.h"

namespace strata::backends::rocksdb {

namespace rdb = ::rocksdb;

namespace {

constexpr std::string_view kCountPrefix = "count/";
constexpr std::string_view kCeilingKey = "versions";

class AddCounts final : public rdb::AssociativeMergeOperator {
 public:
  bool Merge(const rdb::Slice&, const rdb::Slice* before, const rdb::Slice& change,
             std::string* after, rdb::Logger*) const override {
    if (change.size() != 8 || (before != nullptr && before->size() != 8)) return false;
    std::uint64_t sum = base::load_u64_le(change.data());  // wraps as two's complement does
    if (before != nullptr) sum += base::load_u64_le(before->data());
    after->clear();
    base::put_u64_le(*after, sum);
    return true;
  }
  const char* Name() const override { return "strata.count"; }
};

Bytes count_key(Keyspace space) {
  Bytes key(kCountPrefix);
  base::put_u32_be(key, static_cast<std::uint32_t>(space));
  return key;
}

}  // namespace

std::shared_ptr<rdb::MergeOperator> count_merge_operator() { return std::make_shared<AddCounts>(); }

Result<> Counts::load(Database& database) {
  const base::WriterLock lock(mutex_);
  numbers_.clear();
  const std::unique_ptr<rdb::Iterator> iterator(
      database.db().NewIterator(rdb::ReadOptions(), database.meta()));
  for (iterator->Seek(kCountPrefix); iterator->Valid(); iterator->Next()) {
    const BytesView key = iterator->key().ToStringView();
    if (!key.starts_with(kCountPrefix)) break;
    const BytesView value = iterator->value().ToStringView();
    if (key.size() != kCountPrefix.size() + 4 || value.size() != 8) {
      return Error(Code::corruption, "rocksdb: a count of records has a wrong length");
    }
    const Keyspace space{base::load_u32_be(key.data() + kCountPrefix.size())};
    const auto count = static_cast<std::int64_t>(base::load_u64_le(value.data()));
    if (count < 0) return Error(Code::corruption, "rocksdb: a count of records is negative");
    numbers_[space].store(count, std::memory_order_relaxed);
  }
  return check(iterator->status(), "read the counts of records");
}

void Counts::stage(Database& database, rdb::WriteBatch& batch, Keyspace space,
                   std::int64_t change) {
  char bytes[8];
  base::store_u64_le(bytes, static_cast<std::uint64_t>(change));
  batch.Merge(database.meta(), count_key(space), rdb::Slice(bytes, sizeof(bytes)))
      .PermitUncheckedError();
}

void Counts::add(Keyspace space, std::int64_t change) {
  {
    const base::ReaderLock lock(mutex_);
    const auto found = numbers_.find(space);
    if (found != numbers_.end()) {
      found->second.fetch_add(change, std::memory_order_relaxed);
      return;
    }
  }
  const base::WriterLock lock(mutex_);
  numbers_[space].fetch_add(change, std::memory_order_relaxed);
}

std::uint64_t Counts::get(Keyspace space) const {
  const base::ReaderLock lock(mutex_);
  const auto found = numbers_.find(space);
  if (found == numbers_.end()) return 0;
  // Two commits of one key may add up the other way round, for a moment.
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, found->second.load(std::memory_order_relaxed)));
}

std::uint64_t Counts::users() const {
  const base::ReaderLock lock(mutex_);
  std::int64_t sum = 0;
  for (auto at = numbers_.lower_bound(kFirstUserKeyspace); at != numbers_.end(); ++at) {
    sum += at->second.load(std::memory_order_relaxed);
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, sum));
}

Result<> VersionClock::load(Database& database, Version at_least) {
  std::string bytes;
  const rdb::Status status =
      database.db().Get(rdb::ReadOptions(), database.meta(), kCeilingKey, &bytes);
  std::uint64_t ceiling = 0;
  if (status.ok()) {
    if (bytes.size() != 8) {
      return Error(Code::corruption, "rocksdb: the ceiling of versions has a wrong length");
    }
    ceiling = base::load_u64_le(bytes.data());
  } else if (!status.IsNotFound()) {
    return to_error(status, "read the ceiling of versions");
  }
  last_.store(std::max(ceiling, at_least.value), std::memory_order_release);
  ceiling_.store(ceiling, std::memory_order_release);
  return {};
}

Result<Version> VersionClock::next(Database& database) {
  const std::uint64_t version = last_.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (version > ceiling_.load(std::memory_order_acquire)) [[unlikely]] {
    STRATA_TRY(raise(database, version));
  }
  return Version{version};
}

Result<> VersionClock::raise(Database& database, std::uint64_t beyond) {
  const base::MutexLock lock(mutex_);
  if (beyond <= ceiling_.load(std::memory_order_acquire)) return {};
  char bytes[8];
  base::store_u64_le(bytes, beyond + kStep);
  STRATA_TRY(check(database.db().Put(rdb::WriteOptions(), database.meta(), kCeilingKey,
                                     rdb::Slice(bytes, sizeof(bytes))),
                   "raise the ceiling of versions"));
  ceiling_.store(beyond + kStep, std::memory_order_release);
  return {};
}

}  // namespace strata::backends::rocksdb
