// How a relational database would stand behind the contract: a batch of reads is one statement, a
// batch of writes one transaction whose first statement locks and judges the conditions; reads
// are asynchronous because the connection's socket is.
#include <strata/strata.h>

namespace strata::sketch::postgres {

class Connection;  // a libpq connection out of a pool
struct Row {
  Bytes key;
  RecordInfo info;
  std::shared_ptr<const Bytes> value;  // what libpq returned, shared with the caller's Value
};
Result<std::vector<Row>> select(Connection& connection, Keyspace space,
                                std::span<const BytesView> keys);
void when_readable(Connection& connection, std::function<void()> then);
Result<Version> next_version(Connection& connection);
Result<> execute(Connection& connection, std::string_view statement);
Result<> write(Connection& connection, const Effect& effect, Version version);

// Rows come in any order and once per key, whatever was asked twice.
void hand_over(const std::vector<Row>& rows, std::span<Read> reads) {
  for (Read& read : reads) {
    read.info.reset();
    read.value.clear();
    for (const Row& row : rows) {
      if (row.key != read.key.key) continue;
      read.info = row.info;
      read.value.pin(*row.value, row.value);
    }
  }
}

class Pending final {  // one mget on its way: owns nothing of the caller's but the promise to stay
 public:
  Pending(Connection& connection, std::span<Read> reads, ReadCompletion& then)
      : connection_(connection), reads_(reads), then_(then) {}
  void start() {
    when_readable(connection_, [this] {
      std::vector<BytesView> keys;
      for (const Read& read : reads_) keys.push_back(read.key.key);
      Result<std::vector<Row>> rows = select(connection_, reads_[0].key.space, keys);
      if (rows) hand_over(*rows, reads_);
      then_.complete(rows ? Result<>() : Result<>(rows.error()));
    });
  }

 private:
  Connection& connection_;
  std::span<Read> reads_;
  ReadCompletion& then_;
};

// `refused` judges the conditions with SELECT ... FOR UPDATE, in key order, so that no two
// commits wait for each other in a circle.
Result<Commit> commit(Connection& connection, const WriteBatch& batch,
                      FunctionRef<Result<std::optional<std::size_t>>()> refused) {
  STRATA_TRY(execute(connection, "BEGIN"));
  STRATA_LET(const std::optional<std::size_t> failed, refused());
  if (failed) {
    STRATA_TRY(execute(connection, "ROLLBACK"));
    return Commit{{}, failed};
  }
  STRATA_LET(const Version version, next_version(connection));
  for (const Effect& effect : batch.effects()) STRATA_TRY(write(connection, effect, version));
  STRATA_TRY(execute(connection, "COMMIT"));
  return Commit{version, {}};
}

}  // namespace strata::sketch::postgres
