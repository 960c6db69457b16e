// What Engine and the capabilities do where an engine does not know better.
#include "strata/engine.h"

#include <array>
#include <optional>
#include <thread>
#include <utility>

#include "base/thread_lease.h"
#include "strata/capabilities.h"

namespace strata {

namespace {
constexpr std::array<std::string_view, kCapabilityCount> kCapabilityNames = {
    "Ordered",    "AtomicBatch", "Snapshots",  "Transactions", "Persistence",
    "AsyncReads", "Prepare",     "ChangeFeed", "Watch"};

/// The thread's own batch, empty, and so again afterwards: what was put is not kept.
class BatchLease {
 public:
  BatchLease() = default;
  ~BatchLease() { batch_->clear(); }
  BatchLease(const BatchLease&) = delete;
  BatchLease& operator=(const BatchLease&) = delete;
  WriteBatch& operator*() const noexcept { return *batch_; }

 private:
  base::ThreadLease<WriteBatch> batch_;
};

}  // namespace

std::string_view capability_name(CapabilityId id) {
  return kCapabilityNames[static_cast<std::size_t>(id)];
}

Engine::~Engine() = default;
Snapshot::~Snapshot() = default;
Transaction::~Transaction() = default;
WatchHandle::~WatchHandle() = default;

Capability* Engine::find(CapabilityId) noexcept { return nullptr; }

std::vector<CapabilityId> Engine::capabilities() {
  std::vector<CapabilityId> found;
  for (std::size_t id = 0; id < kCapabilityCount; ++id) {
    const auto capability = static_cast<CapabilityId>(id);
    if (find(capability) != nullptr) found.push_back(capability);
  }
  return found;
}

Result<std::optional<RecordInfo>> Engine::get(const KeyRef& key, Value& value,
                                              const ReadOptions& options) {
  Read read;
  read.key = key;
  read.value.swap(value);
  const Result<> answer = mget(std::span(&read, 1), options);
  value.swap(read.value);
  if (!answer) return answer.error();
  return std::move(read.info);
}

Result<Commit> Engine::update(const KeyRef& key, UpdateFunction function,
                              const WriteOptions& options) {
  Value value;
  WriteBatch batch;
  Update wanted;
  for (unsigned attempt = 0;; ++attempt) {
    STRATA_LET(std::optional<RecordInfo> info, get(key, value));
    const Version version = info ? info->version : Version{};
    wanted.action = Update::Action::keep;
    wanted.attributes = {};
    wanted.value.clear();
    STRATA_TRY(function(Current{std::move(info), value.view()}, wanted));
    if (wanted.action == Update::Action::keep) return Commit{version, {}};
    batch.clear();
    batch.require_unchanged(key, version);
    if (wanted.action == Update::Action::put) {
      batch.put_borrowed(key, wanted.value, wanted.attributes);
    } else {
      batch.remove(key);
    }
    STRATA_LET(const Commit commit_result, commit(batch, options));
    if (commit_result.applied()) return commit_result;
    // Somebody committed in between, so the store as a whole moves; let a preempted one finish.
    if (attempt > 8) std::this_thread::yield();
  }
}

Result<Maintenance> Engine::maintain(std::uint32_t) { return Maintenance{}; }

Result<> Engine::check_invariants() { return {}; }

Result<bool> Engine::exists(const KeyRef& key, const ReadOptions& options) {
  Value value;
  ReadOptions without_value = options;
  without_value.info_only = true;
  STRATA_LET(const std::optional<RecordInfo> info, get(key, value, without_value));
  return info.has_value();
}

Version Engine::try_put(const KeyRef&, BytesView, const RecordAttributes&, const WriteOptions&) {
  return {};
}

Result<Version> Engine::put_by_batch(const KeyRef& key, BytesView value,
                                     const RecordAttributes& attributes,
                                     const WriteOptions& options) {
  BatchLease lease;
  (*lease).put_borrowed(key, value, attributes);
  STRATA_LET(const Commit done, commit(*lease, options));
  return done.version;
}

Result<Version> Engine::remove(const KeyRef& key, const WriteOptions& options) {
  BatchLease lease;
  (*lease).remove(key);
  STRATA_LET(const Commit done, commit(*lease, options));
  return done.version;
}

Result<std::uint64_t> Ordered::count_range(const Range& range, const Snapshot* at) {
  ScanOptions options;
  options.keys_only = true;
  options.at = at;
  std::uint64_t count = 0;
  STRATA_TRY(for_each(*this, range, options, [&](const ScanEntry&) {
    ++count;
    return true;
  }));
  return count;
}

}  // namespace strata
