// Each call is passed on as it came; what is counted is taken from its arguments and its answer.
#include "layers/metrics/metrics_engine.h"

#include <fmt/format.h>

#include <utility>

namespace strata::layers::metrics {

namespace {

void count_reads(Meters& meters, std::span<const Read> reads) {
  std::uint64_t found = 0;
  std::uint64_t bytes = 0;
  for (const Read& read : reads) {
    if (read.info) ++found;
    bytes += read.value.size();
  }
  meters.looked_up(found, reads.size() - found);
  meters.read(bytes);
}

void count_commit(Meters& meters, const Result<Commit>& done, std::uint64_t bytes) {
  if (!done) return;
  if (done->applied()) {
    meters.wrote(bytes);
  } else {
    meters.refused();
  }
}

/// A transaction whose reads, scans and commit are counted as those of the engine are.
class CountedTransaction final : public Transaction {
 public:
  CountedTransaction(std::unique_ptr<Transaction> below, Meters& meters)
      : below_(std::move(below)), meters_(meters) {}

  Result<> mget(std::span<Read> reads, bool info_only) override {
    const std::int64_t started_ns = meters_.start();
    Result<> answer = below_->mget(reads, info_only);
    meters_.end(Operation::mget, started_ns, answer);
    if (answer) count_reads(meters_, reads);
    return answer;
  }
  Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) override {
    const std::int64_t started_ns = meters_.start();
    Result<> answer = below_->scan(range, options, page);
    meters_.end(Operation::scan, started_ns, answer);
    if (answer) meters_.read(page.bytes());
    return answer;
  }
  WriteBatch& writes() override { return below_->writes(); }
  Result<Commit> commit(const WriteOptions& options) override {
    const std::uint64_t bytes = below_->writes().bytes();
    const std::int64_t started_ns = meters_.start();
    Result<Commit> done = below_->commit(options);
    meters_.end(Operation::commit, started_ns, done);
    count_commit(meters_, done, bytes);
    return done;
  }
  Version read_version() const noexcept override { return below_->read_version(); }

 private:
  const std::unique_ptr<Transaction> below_;
  Meters& meters_;
};

/// Told by the engine below when an asynchronous read ends; counts it and tells the caller.
class CountedCompletion final : public ReadCompletion {
 public:
  void begin(Meters& meters, std::span<Read> reads, std::int64_t started_ns, ReadCompletion& then) {
    meters_ = &meters;
    reads_ = reads;
    started_ns_ = started_ns;
    then_ = &then;
  }
  void complete(Result<> result) noexcept override {
    const std::unique_ptr<CountedCompletion> self(this);  // told once, and then gone
    meters_->end(Operation::mget, started_ns_, result);
    if (result) count_reads(*meters_, reads_);
    then_->complete(std::move(result));
  }

 private:
  Meters* meters_ = nullptr;
  std::span<Read> reads_;
  std::int64_t started_ns_ = 0;
  ReadCompletion* then_ = nullptr;
};

}  // namespace

MetricsEngine::MetricsEngine(std::unique_ptr<Engine> below, std::unique_ptr<Meters> meters)
    : meters_(std::move(meters)),
      below_(std::move(below)),
      ordered_(below_->as<Ordered>()),
      transactions_(below_->as<Transactions>()),
      async_reads_(below_->as<AsyncReads>()) {}

Capability* MetricsEngine::find(CapabilityId id) noexcept {
  switch (id) {
    case CapabilityId::ordered:
      return ordered_ == nullptr ? nullptr : static_cast<Ordered*>(this);
    case CapabilityId::transactions:
      return transactions_ == nullptr ? nullptr : static_cast<Transactions*>(this);
    case CapabilityId::async_reads:
      return async_reads_ == nullptr ? nullptr : static_cast<AsyncReads*>(this);
    case CapabilityId::atomic_batch:
      return below_->as<AtomicBatch>();
    case CapabilityId::snapshots:
      return below_->as<Snapshots>();
    case CapabilityId::persistence:
      return below_->as<Persistence>();
    case CapabilityId::prepare:
      return below_->as<Prepare>();
    case CapabilityId::change_feed:
      return below_->as<ChangeFeed>();
    case CapabilityId::watch:
      return below_->as<Watch>();
  }
  return nullptr;
}

Result<std::optional<RecordInfo>> MetricsEngine::get(const KeyRef& key, Value& value,
                                                     const ReadOptions& options) {
  const std::int64_t started_ns = meters_->start();
  Result<std::optional<RecordInfo>> answer = below_->get(key, value, options);
  meters_->end(Operation::get, started_ns, answer);
  if (answer) {
    meters_->looked_up(answer->has_value() ? 1 : 0, answer->has_value() ? 0 : 1);
    meters_->read(value.size());
  }
  return answer;
}

Result<> MetricsEngine::mget(std::span<Read> reads, const ReadOptions& options) {
  const std::int64_t started_ns = meters_->start();
  Result<> answer = below_->mget(reads, options);
  meters_->end(Operation::mget, started_ns, answer);
  if (answer) count_reads(*meters_, reads);
  return answer;
}

Result<Commit> MetricsEngine::commit(const WriteBatch& batch, const WriteOptions& options) {
  const std::int64_t started_ns = meters_->start();
  Result<Commit> done = below_->commit(batch, options);
  meters_->end(Operation::commit, started_ns, done);
  count_commit(*meters_, done, batch.bytes());
  return done;
}

// One that could not be done at once is not counted: the commit that follows is.
Version MetricsEngine::try_put(const KeyRef& key, BytesView value,
                               const RecordAttributes& attributes, const WriteOptions& options) {
  const std::int64_t started_ns = meters_->start();
  const Version version = below_->try_put(key, value, attributes, options);
  if (version != Version{}) {
    meters_->end(Operation::commit, started_ns, Result<>());
    meters_->wrote(key.key.size() + value.size());
  }
  return version;
}

Result<Commit> MetricsEngine::update(const KeyRef& key, UpdateFunction function,
                                     const WriteOptions& options) {
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  const auto seen = [&](const Current& current, Update& wanted) -> Result<> {
    read_bytes = current.value.size();
    Result<> said = function(current, wanted);
    const bool puts = wanted.action == Update::Action::put;
    written_bytes = puts ? key.key.size() + wanted.value.size() : 0;
    return said;
  };
  const std::int64_t started_ns = meters_->start();
  Result<Commit> done = below_->update(key, seen, options);
  meters_->end(Operation::update, started_ns, done);
  meters_->read(read_bytes);
  count_commit(*meters_, done, written_bytes);
  return done;
}

Result<> MetricsEngine::scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                                  ScanPage& page) {
  const std::int64_t started_ns = meters_->start();
  Result<> answer = below_->scan_some(space, cursor, options, page);
  meters_->end(Operation::scan_some, started_ns, answer);
  if (answer) meters_->read(page.bytes());
  return answer;
}

Result<> MetricsEngine::scan(const Range& range, const ScanOptions& options, ScanPage& page) {
  const std::int64_t started_ns = meters_->start();
  Result<> answer = ordered_->scan(range, options, page);
  meters_->end(Operation::scan, started_ns, answer);
  if (answer) meters_->read(page.bytes());
  return answer;
}

Result<std::uint64_t> MetricsEngine::count(Keyspace space) {
  const std::int64_t started_ns = meters_->start();
  Result<std::uint64_t> answer = below_->count(space);
  meters_->end(Operation::count, started_ns, answer);
  return answer;
}

Result<std::uint64_t> MetricsEngine::count_range(const Range& range, const Snapshot* at) {
  const std::int64_t started_ns = meters_->start();
  Result<std::uint64_t> answer = ordered_->count_range(range, at);
  meters_->end(Operation::count, started_ns, answer);
  return answer;
}

Result<std::unique_ptr<Transaction>> MetricsEngine::begin(const TransactionOptions& options) {
  STRATA_LET(std::unique_ptr<Transaction> begun, transactions_->begin(options));
  return std::make_unique<CountedTransaction>(std::move(begun), *meters_);
}

std::optional<Result<>> MetricsEngine::start_mget(std::span<Read> reads, const ReadOptions& options,
                                                  ReadCompletion& then) {
  // Most reads are answered at once: the completion that was not needed waits for the next one.
  thread_local std::unique_ptr<CountedCompletion> spare;
  if (spare == nullptr) spare = std::make_unique<CountedCompletion>();
  CountedCompletion* const completion = spare.release();
  const std::int64_t started_ns = meters_->start();
  completion->begin(*meters_, reads, started_ns, then);
  std::optional<Result<>> answer = async_reads_->start_mget(reads, options, *completion);
  if (!answer) return answer;  // the completion is on its way, or has come and gone
  spare.reset(completion);
  meters_->end(Operation::mget, started_ns, *answer);
  if (*answer) count_reads(*meters_, reads);
  return answer;
}

Result<Maintenance> MetricsEngine::maintain(std::uint32_t records) {
  return below_->maintain(records);
}

Limits MetricsEngine::limits() const { return below_->limits(); }

Result<> MetricsEngine::close() { return below_->close(); }

Stats MetricsEngine::stats() {
  Stats stats = below_->stats();
  const MetricsReport counted = report();
  const auto add = [&stats](std::string name, double value) {
    stats.more.push_back({std::move(name), value});
  };
  for (std::size_t i = 0; i < kOperations; ++i) {
    const MetricsReport::Figures& figures = counted.operations[i];
    const std::string_view name = operation_name(static_cast<Operation>(i));
    add(fmt::format("{}_calls", name), static_cast<double>(figures.calls));
    if (figures.latency_ns.count() == 0) continue;
    for (const auto& [label, q] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}}) {
      add(fmt::format("{}_{}_us", name, label),
          static_cast<double>(figures.latency_ns.quantile(q)) / 1000);
    }
  }
  for (std::size_t code = 1; code < kCodes; ++code) {
    if (counted.errors[code] == 0) continue;
    add(fmt::format("errors_{}", code_name(static_cast<Code>(code))),
        static_cast<double>(counted.errors[code]));
  }
  add("bytes_in", static_cast<double>(counted.bytes_in));
  add("bytes_out", static_cast<double>(counted.bytes_out));
  add("keys_found", static_cast<double>(counted.keys_found));
  add("keys_absent", static_cast<double>(counted.keys_absent));
  add("commits_refused", static_cast<double>(counted.refused));
  return stats;
}

}  // namespace strata::layers::metrics
