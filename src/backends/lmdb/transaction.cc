#include "backends/lmdb/transaction.h"

#include <lmdb.h>

#include <utility>

namespace strata::backends::lmdb {

namespace {

BytesView view_of(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

}  // namespace

Result<Transaction> Transaction::begin_write(MapEnvironment& environment) {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(environment.handle(), nullptr, 0, &txn);
  STRATA_TRY(check(code, "begin a transaction that writes"));
  return Transaction(environment, txn, true);
}

Transaction::Transaction(Transaction&& other) noexcept
    : environment_(other.environment_),
      txn_(std::exchange(other.txn_, nullptr)),
      owned_(other.owned_),
      map_full_(other.map_full_) {}

Transaction::~Transaction() {
  if (txn_ != nullptr && owned_) mdb_txn_abort(txn_);
}

Result<> Transaction::seen(int code, std::string_view doing) {
  if (code == MDB_MAP_FULL) map_full_ = true;
  return check(code, doing);
}

Result<std::optional<BytesView>> Transaction::get(unsigned database, BytesView key) const {
  MDB_val name = value_of(key);
  MDB_val value{};
  const int code = mdb_get(txn_, database, &name, &value);
  if (code == MDB_NOTFOUND) return std::optional<BytesView>();
  STRATA_TRY(check(code, "read a record"));
  return view_of(value);
}

Result<> Transaction::put(unsigned database, BytesView key, BytesView value) {
  MDB_val name = value_of(key);
  MDB_val content = value_of(value);
  return seen(mdb_put(txn_, database, &name, &content, 0), "write a record");
}

Result<char*> Transaction::reserve(unsigned database, BytesView key, std::size_t bytes) {
  MDB_val name = value_of(key);
  MDB_val content{bytes, nullptr};
  STRATA_TRY(seen(mdb_put(txn_, database, &name, &content, MDB_RESERVE), "write a record"));
  return static_cast<char*>(content.mv_data);
}

Result<bool> Transaction::remove(unsigned database, BytesView key) {
  MDB_val name = value_of(key);
  const int code = mdb_del(txn_, database, &name, nullptr);
  if (code == MDB_NOTFOUND) return false;
  STRATA_TRY(seen(code, "remove a record"));
  return true;
}

Result<> Transaction::commit() {
  return seen(mdb_txn_commit(std::exchange(txn_, nullptr)), "commit");
}

Result<Cursor> Cursor::open(const Transaction& transaction, unsigned database) {
  MDB_cursor* cursor = nullptr;
  STRATA_TRY(check(mdb_cursor_open(transaction.handle(), database, &cursor), "open a cursor"));
  return Cursor(cursor);
}

Cursor::Cursor(Cursor&& other) noexcept
    : cursor_(std::exchange(other.cursor_, nullptr)), key_(other.key_), value_(other.value_) {}

Cursor::~Cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

Result<bool> Cursor::move(int operation, BytesView key) {
  MDB_val name = value_of(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &name, &value, static_cast<MDB_cursor_op>(operation));
  if (code == MDB_NOTFOUND) return false;
  STRATA_TRY(check(code, "walk over records"));
  key_ = view_of(name);
  value_ = view_of(value);
  return true;
}

Result<bool> Cursor::first() { return move(MDB_FIRST); }
Result<bool> Cursor::last() { return move(MDB_LAST); }
Result<bool> Cursor::next() { return move(MDB_NEXT); }
Result<bool> Cursor::previous() { return move(MDB_PREV); }

Result<bool> Cursor::seek(BytesView key) {
  return key.empty() ? first() : move(MDB_SET_RANGE, key);
}

Result<bool> Cursor::seek_below(BytesView key) {
  STRATA_LET(const bool above, seek(key));
  return above ? previous() : last();
}

Result<std::optional<MDB_txn*>> ReadPool::take(MapEnvironment& environment) {
  MDB_txn* txn = nullptr;
  {
    const base::MutexLock lock(mutex_);
    if (!kept_.empty()) {
      txn = kept_.back();
      kept_.pop_back();
    }
  }
  int code = 0;
  if (txn != nullptr) {
    code = mdb_txn_renew(txn);
    if (code != MDB_SUCCESS) mdb_txn_abort(txn);
  } else {
    code = mdb_txn_begin(environment.handle(), nullptr, MDB_RDONLY, &txn);
    if (code == MDB_READERS_FULL && environment.clear_stale_readers() != 0) {
      code = mdb_txn_begin(environment.handle(), nullptr, MDB_RDONLY, &txn);
    }
  }
  if (code == MDB_MAP_RESIZED) return std::optional<MDB_txn*>();
  STRATA_TRY(check(code, "begin a transaction that reads"));
  return txn;
}

void ReadPool::give_back(MDB_txn* txn) {
  mdb_txn_reset(txn);
  {
    const base::MutexLock lock(mutex_);
    if (kept_.size() < kKeptMax) {
      kept_.push_back(txn);
      return;
    }
  }
  mdb_txn_abort(txn);
}

void ReadPool::clear() {
  const base::MutexLock lock(mutex_);
  for (MDB_txn* txn : kept_) mdb_txn_abort(txn);
  kept_.clear();
}

}  // namespace strata::backends::lmdb
