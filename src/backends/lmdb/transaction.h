// Transaction: LMDB's transactions and cursors as values, with our errors.
//
// Always:  views into the map are valid until the transaction ends or, in one that writes, until
//          its next write.
// Threads: one at a time; one that writes stays on the thread that began it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "backends/lmdb/environment.h"
#include "base/mutex.h"
#include "strata/bytes.h"
#include "strata/result.h"

struct MDB_cursor;

namespace strata::backends::lmdb {

class Transaction {
 public:
  /// Of writing: waits for the one before.
  static Result<Transaction> begin_write(MapEnvironment& environment);
  /// Around a transaction that somebody else ends.
  Transaction(MapEnvironment& environment, MDB_txn* borrowed) noexcept
      : environment_(&environment), txn_(borrowed), owned_(false) {}
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  MapEnvironment& environment() const noexcept { return *environment_; }
  MDB_txn* handle() const noexcept { return txn_; }

  Result<std::optional<BytesView>> get(unsigned database, BytesView key) const;
  Result<> put(unsigned database, BytesView key, BytesView value);
  /// Room for a value that the caller fills before anything else is done here.
  Result<char*> reserve(unsigned database, BytesView key, std::size_t bytes);
  /// False when nothing was there.
  Result<bool> remove(unsigned database, BytesView key);
  Result<> commit();
  /// Whether something failed because the map is too small: then it must be aborted.
  bool map_full() const noexcept { return map_full_; }

 private:
  Transaction(MapEnvironment& environment, MDB_txn* txn, bool owned) noexcept
      : environment_(&environment), txn_(txn), owned_(owned) {}
  Result<> seen(int code, std::string_view doing);

  MapEnvironment* environment_;
  MDB_txn* txn_;
  bool owned_;
  bool map_full_ = false;
};

/// Where a walk over a sub-database stands. Each move says whether there is an entry.
class Cursor {
 public:
  static Result<Cursor> open(const Transaction& transaction, unsigned database);
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  Result<bool> first();
  Result<bool> last();
  Result<bool> next();
  Result<bool> previous();
  /// To the first entry at or above `key`; an empty key means the first of all.
  Result<bool> seek(BytesView key);
  /// To the last entry below `key`.
  Result<bool> seek_below(BytesView key);
  BytesView key() const noexcept { return key_; }
  BytesView value() const noexcept { return value_; }

 private:
  explicit Cursor(MDB_cursor* cursor) noexcept : cursor_(cursor) {}
  Result<bool> move(int operation, BytesView key = {});

  MDB_cursor* cursor_;
  BytesView key_;
  BytesView value_;
};

/// Transactions that read, kept for the next reader: to begin a new one takes a lock that all
/// processes share, to renew one does not.
class ReadPool {
 public:
  /// Gives a transaction at the present; end it with give_back(). Nothing: another process made
  /// the map larger (adopt_growth).
  Result<std::optional<MDB_txn*>> take(MapEnvironment& environment);
  void give_back(MDB_txn* txn);
  /// Ends all that are kept.
  void clear();

 private:
  static constexpr std::size_t kKeptMax = 64;
  base::Mutex mutex_;
  std::vector<MDB_txn*> kept_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::backends::lmdb
