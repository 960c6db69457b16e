// The liar forwards everything, but for what its fault says.
#include "conformance/liar.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "strata/capabilities.h"

namespace strata::conformance {

namespace {

/// What a test program was told to plant; written once, before any test runs.
std::string_view planted;  // NOLINT: a program has one

using Key = std::pair<Keyspace, Bytes>;

class Liar final : public Engine, public Ordered, public ChangeFeed, public Watch {
 public:
  Liar(std::unique_ptr<Engine> below, std::string_view fault)
      : below_(std::move(below)), fault_(fault) {}

  Result<> mget(std::span<Read> reads, const ReadOptions& options) override;
  Result<Commit> commit(const WriteBatch& batch, const WriteOptions& options) override;
  Result<Commit> update(const KeyRef& key, UpdateFunction function,
                        const WriteOptions& options) override;
  Result<> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                     ScanPage& page) override;
  Result<std::uint64_t> count(Keyspace space) override;
  Result<Maintenance> maintain(std::uint32_t records) override { return below_->maintain(records); }
  Stats stats() override { return below_->stats(); }
  Limits limits() const override { return below_->limits(); }
  Result<> close() override { return below_->close(); }

  Result<> scan(const Range& range, const ScanOptions& options, ScanPage& page) override;
  Result<> changes(Version after, std::size_t limit, std::vector<Change>& changes) override;
  Result<bool> wait_for_change(Version after, std::chrono::milliseconds wait) override {
    return below_->as<ChangeFeed>()->wait_for_change(after, wait);
  }
  Result<std::unique_ptr<WatchHandle>> watch(const Range& range, Listener changed) override;

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  bool lies(std::string_view fault) const { return fault_ == fault; }
  void distort(Read& read);
  void rewrite(const WriteBatch& batch, WriteBatch& told);
  void add_effect(const Effect& effect, WriteBatch& told);

  std::unique_ptr<Engine> below_;
  std::string_view fault_;
  std::mutex mutex_;
  std::map<Key, std::pair<std::optional<RecordInfo>, Bytes>> remembered_;  // under mutex_
  std::shared_ptr<Bytes> shared_buffer_ = std::make_shared<Bytes>();       // under mutex_
};

Capability* Liar::find(CapabilityId id) noexcept {
  switch (id) {
    case CapabilityId::ordered:
      return below_->as<Ordered>() == nullptr ? nullptr : static_cast<Ordered*>(this);
    case CapabilityId::atomic_batch:
      return below_->as<AtomicBatch>();
    case CapabilityId::snapshots:
      return below_->as<Snapshots>();
    case CapabilityId::transactions:
      return below_->as<Transactions>();
    case CapabilityId::persistence:
      return below_->as<Persistence>();
    case CapabilityId::async_reads:
      return below_->as<AsyncReads>();
    case CapabilityId::prepare:
      return below_->as<Prepare>();
    case CapabilityId::change_feed:
      return below_->as<ChangeFeed>() == nullptr ? nullptr : static_cast<ChangeFeed*>(this);
    case CapabilityId::watch:
      return below_->as<Watch>() == nullptr ? nullptr : static_cast<Watch*>(this);
  }
  return nullptr;
}

Result<> Liar::mget(std::span<Read> reads, const ReadOptions& options) {
  ReadOptions asked = options;
  if (lies("moving_snapshot")) asked.at = nullptr;
  if (lies("torn_mget")) {
    for (Read& read : reads) {
      STRATA_TRY(below_->mget(std::span(&read, 1), asked));
      std::this_thread::yield();
    }
    return {};
  }
  STRATA_TRY(below_->mget(reads, asked));
  for (Read& read : reads) distort(read);
  return {};
}

void Liar::distort(Read& read) {
  if (lies("stale_mget")) {
    const std::lock_guard lock(mutex_);
    const auto [known, fresh] = remembered_.try_emplace(Key{read.key.space, Bytes(read.key.key)},
                                                        read.info, read.value.to_bytes());
    read.info = known->second.first;
    read.value.assign(known->second.second);
  }
  if (!read.info) return;
  if (lies("wrong_version")) read.info->version.value += 1;
  if (lies("lost_extension")) read.info->extension.clear();
  if (lies("short_value") && read.value.size() > 50000) {
    read.value.assign(Bytes(read.value.view().substr(0, read.value.size() - 1)));
  }
  if (lies("dangling_value") && !read.value.empty()) {
    const std::lock_guard lock(mutex_);
    *shared_buffer_ = read.value.to_bytes();
    read.value.pin(*shared_buffer_, shared_buffer_);
  }
}

void Liar::add_effect(const Effect& effect, WriteBatch& told) {
  RecordAttributes attributes = effect.attributes;
  if (lies("dropped_expiry")) attributes.expires_ms = kNeverExpires;
  if (lies("late_expiry") && attributes.expires_ms != kNeverExpires) ++attributes.expires_ms;
  KeyRef key = effect.key;
  if (lies("keys_end_at_nul")) key.key = key.key.substr(0, key.key.find('\0'));
  switch (effect.kind) {
    case EffectKind::put:
      told.put_borrowed(key, effect.value, attributes);
      break;
    case EffectKind::remove:
      if (!lies("lost_remove")) told.remove(key);
      break;
    case EffectKind::patch:
      told.patch(key,
                 lies("shifted_patch") && effect.offset > 4 ? effect.offset - 1 : effect.offset,
                 effect.erase, effect.value);
      break;
    case EffectKind::expire:
      told.expire(key, attributes.expires_ms);
      break;
    case EffectKind::delete_range:
      if (!lies("lost_delete_range")) told.delete_range(key.space, key.key, effect.value);
      break;
  }
}

void Liar::rewrite(const WriteBatch& batch, WriteBatch& told) {
  const auto effects = batch.effects();
  std::size_t count = effects.size();
  if (lies("half_batch") && count > 1) count = (count + 1) / 2;
  for (std::size_t i = 0; i < count; ++i) {
    add_effect(effects[lies("effects_backwards") ? count - 1 - i : i], told);
  }
  if (lies("ignored_conditions")) return;
  for (const Condition& condition : batch.conditions()) {
    switch (condition.kind) {
      case ConditionKind::absent:
        told.require_absent(condition.key);
        break;
      case ConditionKind::present:
        told.require_present(condition.key);
        break;
      case ConditionKind::unchanged:
        told.require_unchanged(condition.key, condition.version);
        break;
    }
  }
}

Result<Commit> Liar::commit(const WriteBatch& batch, const WriteOptions& options) {
  WriteBatch told;
  rewrite(batch, told);
  WriteOptions asked = options;
  if (lies("ignored_durability")) asked.durability = Durability::store_default;
  Result<Commit> done = below_->commit(told, asked);
  if (done && done->failed && lies("wrong_failed_index")) done->failed = 0;
  if (done && done->applied() && lies("wrong_commit_version")) ++done->version.value;
  return done;
}

Result<Commit> Liar::update(const KeyRef& key, UpdateFunction function,
                            const WriteOptions& options) {
  // One that reads what is not so would begin anew for ever.
  if (lies("stale_mget") || lies("wrong_version")) return below_->update(key, function, options);
  if (!lies("non_atomic_update")) return Engine::update(key, function, options);
  Value value;
  STRATA_LET(std::optional<RecordInfo> info, below_->get(key, value));
  const Version version = info ? info->version : Version{};
  Update wanted;
  STRATA_TRY(function(Current{std::move(info), value.view()}, wanted));
  std::this_thread::yield();
  WriteBatch batch;
  if (wanted.action == Update::Action::keep) return Commit{version, {}};
  if (wanted.action == Update::Action::put) batch.put(key, wanted.value, wanted.attributes);
  if (wanted.action == Update::Action::remove) batch.remove(key);
  return below_->commit(batch, options);
}

Result<> Liar::scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                         ScanPage& page) {
  if (!lies("cursor_loses_keys")) return below_->scan_some(space, cursor, options, page);
  ScanPage whole;
  STRATA_TRY(below_->scan_some(space, cursor, options, whole));
  page.clear();
  for (std::size_t i = 0; i + (cursor.empty() ? 0 : 1) < whole.size(); ++i) {
    page.add(whole[i].key, whole[i].value, whole[i].info);
  }
  return {};
}

Result<std::uint64_t> Liar::count(Keyspace space) {
  STRATA_LET(const std::uint64_t count, below_->count(space));
  return lies("count_never_empty") && count == 0 ? 1 : count;
}

Result<> Liar::scan(const Range& range, const ScanOptions& options, ScanPage& page) {
  Ordered& below = *below_->as<Ordered>();
  ScanOptions asked = options;
  if (lies("order_not_reversed")) asked.reverse = false;
  if (lies("moving_snapshot")) asked.at = nullptr;
  Range within = range;
  if (lies("scan_past_end") && !within.end.empty() && within.begin < within.end) {
    within.end.push_back('\0');
  }
  ScanPage whole;
  STRATA_TRY(below.scan(within, asked, whole));
  page.clear();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (lies("scan_skips_a_key") && i == 2) continue;
    page.add(whole[i].key, lies("scan_loses_values") ? BytesView{} : whole[i].value, whole[i].info);
  }
  page.set_more(whole.more() && !lies("scan_ends_early"));
  return {};
}

Result<> Liar::changes(Version after, std::size_t limit, std::vector<Change>& changes) {
  STRATA_TRY(below_->as<ChangeFeed>()->changes(after, limit, changes));
  if (lies("feed_loses_a_change") && changes.size() > 1) changes.pop_back();
  if (lies("feed_without_expiry")) {
    std::erase_if(changes, [](const Change& change) { return change.kind == ChangeKind::expired; });
  }
  return {};
}

Result<std::unique_ptr<WatchHandle>> Liar::watch(const Range& range, Listener changed) {
  if (lies("watch_is_deaf")) changed = [](KeyRef, bool) {};
  return below_->as<Watch>()->watch(range, std::move(changed));
}

}  // namespace

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {"none", "no lie at all"},
      {"half_batch", "only the first half of a batch is applied"},
      {"effects_backwards", "effects apply from the last to the first"},
      {"stale_mget", "a read gives what the first read of the key gave"},
      {"torn_mget", "a read of many keys is many reads"},
      {"wrong_version", "reads report another version"},
      {"wrong_commit_version", "commits report another version"},
      {"lost_extension", "the extension is not given back"},
      {"short_value", "long values lose their last byte"},
      {"dangling_value", "the next read overwrites the value of the last"},
      {"keys_end_at_nul", "a key ends at its first NUL"},
      {"dropped_expiry", "expiry is forgotten"},
      {"late_expiry", "expiry comes a millisecond late"},
      {"lost_remove", "removes do nothing"},
      {"lost_delete_range", "range deletes do nothing"},
      {"shifted_patch", "patches land one byte early"},
      {"ignored_conditions", "conditions are not checked"},
      {"wrong_failed_index", "always the first condition is blamed"},
      {"ignored_durability", "an asked durability is ignored, not refused"},
      {"non_atomic_update", "an update reads, then writes"},
      {"cursor_loses_keys", "a cursor scan loses the last record of a step"},
      {"count_never_empty", "an empty keyspace counts one record"},
      {"order_not_reversed", "a reverse scan goes forward"},
      {"scan_skips_a_key", "a scan leaves a record out"},
      {"scan_past_end", "a scan includes the end of its range"},
      {"scan_loses_values", "a scan gives no values"},
      {"scan_ends_early", "a scan ends with its first page"},
      {"moving_snapshot", "a snapshot shows the present"},
      {"feed_loses_a_change", "the feed loses the last of several changes"},
      {"feed_without_expiry", "the feed does not tell of expiry"},
      {"watch_is_deaf", "a watch hears nothing"},
  };
  return all;
}

bool plant_fault(std::string_view name) {
  const auto found = std::ranges::find(faults(), name, &Fault::name);
  if (found == faults().end()) return false;
  planted = found->name;
  return true;
}

std::unique_ptr<Engine> make_liar(std::unique_ptr<Engine> engine, std::string_view fault) {
  const auto found = std::ranges::find(faults(), fault, &Fault::name);
  STRATA_CHECK(found != faults().end());
  return std::make_unique<Liar>(std::move(engine), found->name);
}

std::unique_ptr<Engine> with_planted_fault(std::unique_ptr<Engine> engine) {
  return planted.empty() ? std::move(engine) : make_liar(std::move(engine), planted);
}

}  // namespace strata::conformance
