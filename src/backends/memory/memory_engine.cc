// Reads, scans, upkeep and the life of a MemoryEngine; its writes stand in memory_write.cc.
#include "backends/memory/memory_engine.h"

#include <algorithm>

#include "base/check.h"

namespace strata::backends::memory {

namespace {

/// A value up to this length is copied into a reader's buffer; a longer one is shared.
constexpr std::size_t kCopiedBytesMax = 512;
/// Begins every cursor: 'm' and the version of the form. Behind it stands the last key given.
constexpr BytesView kCursorMark("m\x01", 2);
/// A step of scan_some that fetches values ends behind the one that reaches this.
constexpr std::uint64_t kStepBytesMax = 4ull * 1024 * 1024;

class MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(MemoryEngine& engine, Version version, std::int64_t time_ms)
      : engine_(engine), version_(version), time_ms_(time_ms) {}
  ~MemorySnapshot() override { engine_.release(version_); }
  MemorySnapshot(const MemorySnapshot&) = delete;
  MemorySnapshot& operator=(const MemorySnapshot&) = delete;

  Version version() const noexcept override { return version_; }
  std::int64_t time_ms() const noexcept override { return time_ms_; }
  const MemoryEngine& engine() const noexcept { return engine_; }

 private:
  MemoryEngine& engine_;
  Version version_;
  std::int64_t time_ms_;
};

void answer(const Revision* revision, bool info_only, Read& read) {
  read.info.reset();
  if (revision != nullptr) read.info = revision->info();
  if (revision == nullptr || info_only) {
    read.value.clear();
  } else if (revision->payload->size() <= kCopiedBytesMax) {
    read.value.assign(*revision->payload);
  } else {
    read.value.pin(*revision->payload, revision->payload);
  }
}

}  // namespace

MemoryEngine::MemoryEngine(const MemoryOptions& options, const Environment& environment)
    : files_(environment.files),
      clock_(environment.clock),
      options_(options),
      folder_(environment.folder),
      read_only_(environment.read_only),
      log_(options.changes) {}

MemoryEngine::~MemoryEngine() {
  const Result<> closed = close();
  static_cast<void>(closed);  // a destructor cannot report; close() does for who asks
}

Capability* MemoryEngine::find(CapabilityId id) noexcept {
  switch (id) {
    case CapabilityId::ordered:
      return static_cast<Ordered*>(this);
    case CapabilityId::atomic_batch:
      return static_cast<AtomicBatch*>(this);
    case CapabilityId::snapshots:
      return static_cast<Snapshots*>(this);
    case CapabilityId::transactions:
      return static_cast<Transactions*>(this);
    case CapabilityId::persistence:
      return static_cast<Persistence*>(this);
    case CapabilityId::async_reads:
      return static_cast<AsyncReads*>(this);
    case CapabilityId::prepare:
      return static_cast<Prepare*>(this);
    case CapabilityId::change_feed:
      return static_cast<ChangeFeed*>(this);
    case CapabilityId::watch:
      return static_cast<Watch*>(this);
  }
  return nullptr;
}

Limits MemoryEngine::limits() const {
  Limits limits;
  limits.durability_max = Durability::none;
  return limits;
}

Result<> MemoryEngine::check_open() const {
  if (closed_) return Error(Code::closed, "memory store: used after close");
  return {};
}

Result<> MemoryEngine::check_writable() const {
  STRATA_TRY(check_open());
  if (read_only_) {
    return Error(Code::not_supported, "memory store: opened read-only, it takes no writes");
  }
  return {};
}

Result<Sight> MemoryEngine::sight_of(const Snapshot* at) const {
  if (at == nullptr) return Sight{kPresent, clock_.wall_ms()};
  const auto* snapshot = dynamic_cast<const MemorySnapshot*>(at);
  if (snapshot == nullptr || &snapshot->engine() != this) {
    return Error(Code::invalid_argument, "memory store: the snapshot is of another engine");
  }
  return Sight{snapshot->version(), snapshot->time_ms()};
}

Result<> MemoryEngine::mget(std::span<Read> reads, const ReadOptions& options) {
  const base::ReaderLock lock(mutex_);
  STRATA_TRY(check_open());
  STRATA_LET(const Sight sight, sight_of(options.at));
  for (Read& read : reads) answer(store_.find(read.key, sight), options.info_only, read);
  return {};
}

std::optional<Result<>> MemoryEngine::start_mget(std::span<Read> reads, const ReadOptions& options,
                                                 ReadCompletion&) {
  return mget(reads, options);
}

bool MemoryEngine::fill(const Range& range, const ScanOptions& options, Sight sight,
                        ScanPage& page) const {
  page.clear();
  store_.walk(range, options.reverse, [&](BytesView key, const Chain& chain) {
    const Revision* revision = VersionStore::visible(chain, sight);
    if (revision == nullptr) return true;
    page.add(key, options.keys_only ? BytesView{} : *revision->payload, revision->info());
    const bool full = page.size() >= options.page_records || page.bytes() >= options.page_bytes;
    page.set_more(full);
    return !full;
  });
  return page.more();
}

Result<> MemoryEngine::scan(const Range& range, const ScanOptions& options, ScanPage& page) {
  const base::ReaderLock lock(mutex_);
  STRATA_TRY(check_open());
  STRATA_LET(const Sight sight, sight_of(options.at));
  fill(range, options, sight, page);
  return {};
}

Result<> MemoryEngine::scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                                 ScanPage& page) {
  page.clear();
  Range range = Range::prefix(space, options.prefix);
  if (!cursor.empty()) {
    if (!BytesView(cursor).starts_with(kCursorMark)) {
      return Error(Code::invalid_argument, "memory store: the cursor is not one of this engine");
    }
    // The smallest key behind the last one that was given.
    Bytes next = cursor.substr(kCursorMark.size());
    next.push_back('\0');
    range.begin = std::max(range.begin, next);
  }
  const base::ReaderLock lock(mutex_);
  STRATA_TRY(check_open());
  STRATA_LET(const Sight sight, sight_of(options.at));
  std::uint64_t looked_at = 0;
  Bytes next_cursor;
  store_.walk(range, false, [&](BytesView key, const Chain& chain) {
    const Revision* revision = VersionStore::visible(chain, sight);
    if (revision != nullptr) {
      page.add(key, options.keys_only ? BytesView{} : *revision->payload, revision->info());
    }
    const bool enough = ++looked_at >= options.count || page.bytes() >= kStepBytesMax;
    if (enough) next_cursor.append(kCursorMark).append(key);
    return !enough;
  });
  cursor = std::move(next_cursor);
  return {};
}

Result<std::uint64_t> MemoryEngine::count(Keyspace space) {
  const base::ReaderLock lock(mutex_);
  STRATA_TRY(check_open());
  return store_.count(space, clock_.wall_ms());
}

Result<std::unique_ptr<Snapshot>> MemoryEngine::snapshot() {
  const base::WriterLock lock(mutex_);
  STRATA_TRY(check_open());
  return std::make_unique<MemorySnapshot>(*this, store_.hold(), clock_.wall_ms());
}

void MemoryEngine::release(Version version) {
  const base::WriterLock lock(mutex_);
  store_.release(version);
}

Result<Maintenance> MemoryEngine::maintain(std::uint32_t records) {
  std::vector<Touched> touched;
  Maintenance done;
  {
    const base::WriterLock lock(mutex_);
    STRATA_TRY(check_open());
    if (!read_only_) done.expired = sweep(records, touched);
    done.more = store_.reclaim(records);
    if (!read_only_ && store_.first_expired(clock_.wall_ms())) done.more = true;
  }
  watchers_.tell(touched);
  return done;
}

Stats MemoryEngine::stats() {
  const base::ReaderLock lock(mutex_);
  Stats stats;
  stats.keys = store_.count_users(clock_.wall_ms());
  stats.bytes_live = store_.bytes_live();
  stats.bytes_memory = stats.bytes_live + (stats.keys + store_.old_versions()) * sizeof(Chain);
  stats.snapshots = store_.snapshots();
  stats.more.push_back({"old_versions", static_cast<double>(store_.old_versions())});
  return stats;
}

Result<> MemoryEngine::close() {
  {
    const base::ReaderLock lock(mutex_);
    if (closed_) return {};
  }
  const Result<> saved = save();
  log_.close();
  const base::WriterLock lock(mutex_);
  closed_ = true;
  return saved;
}

Result<> MemoryEngine::changes(Version after, std::size_t limit, std::vector<Change>& changes) {
  {
    const base::ReaderLock lock(mutex_);
    STRATA_TRY(check_open());
  }
  return log_.read(after, limit, changes);
}

Result<bool> MemoryEngine::wait_for_change(Version after, std::chrono::milliseconds wait) {
  return log_.wait(after, wait);
}

Result<std::unique_ptr<WatchHandle>> MemoryEngine::watch(const Range& range, Listener changed) {
  const base::ReaderLock lock(mutex_);
  STRATA_TRY(check_open());
  return watchers_.add(range, std::move(changed));
}

Result<> MemoryEngine::check_invariants() {
  const base::ReaderLock lock(mutex_);
  STRATA_TRY(check_open());
  store_.check_invariants();
  return {};
}

}  // namespace strata::backends::memory
