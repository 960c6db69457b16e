// Opening, closing, and what every call begins with.
#include "backends/hybridlog/hybridlog_engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <random>

#include "backends/hybridlog/batch_in_place.h"
#include "backends/hybridlog/open_snapshot.h"
#include "backends/hybridlog/recovery.h"
#include "base/log.h"
#include "base/thread_lease.h"
#include "contract/check.h"
#include "io/files.h"
#include "io/folder_swap.h"

namespace strata::backends::hybridlog {

namespace {

constexpr std::size_t kSweptPerCommit = 8;
constexpr std::uint8_t kIndexBitsAtStart = 10;
constexpr std::size_t kScratchBytesMax = 64 * 1024;

/// One look at the bucket itself: a chain that goes on in overflow buckets is not followed.
constexpr auto look_once = [](const HashIndex& index, std::uint64_t hash) {
  return index.look_once(hash);
};

/// Keys of other lengths are hashed and compared by calls.
bool is_quick(const KeyRef& key) noexcept { return key.key.size() - 8 <= 8; }

[[gnu::always_inline]] inline Result<std::optional<RecordInfo>> info_of(const PlainRecord& found) {
  Result<std::optional<RecordInfo>> result(std::in_place, std::in_place);
  (*result)->version = Version{found.version};
  (*result)->value_bytes = found.value_bytes;
  return result;
}

bool deletes_range(const WriteBatch& batch) {
  return std::ranges::any_of(batch.effects(), [](const Effect& effect) {
    return effect.kind == EffectKind::delete_range;
  });
}

Manifest new_manifest(const Options& options) {
  std::random_device random;
  const auto word = [&] { return std::uint64_t{random()} << 32 | random(); };
  Manifest made;
  const std::uint64_t id[2] = {word(), word()};
  std::memcpy(made.store.bytes, id, sizeof(made.store.bytes));
  made.hash_seed = word();
  made.clock = 1;
  made.version = 1;
  made.next_segment = 1;
  made.begin = std::uint64_t{1} << options.segment_bits;
  made.next_extent = 1;
  made.frame_bits = static_cast<std::uint8_t>(options.frame_bits);
  made.segment_bits = static_cast<std::uint8_t>(options.segment_bits);
  made.index_bits = kIndexBitsAtStart;
  return made;
}

}  // namespace

HybridlogEngine::HybridlogEngine(const Options& options, const Environment& environment)
    : files_(environment.files),
      clock_(environment.clock),
      options_(options),
      folder_(environment.folder.empty() ? std::string() : environment.folder + "/db"),
      read_only_(environment.read_only),
      create_(environment.create),
      interval_ms_(environment.durability == Durability::interval ? environment.interval_ms : 0) {
  limits_.durability_max = folder_.empty() ? Durability::none : Durability::interval;
}

HybridlogEngine::~HybridlogEngine() {
  // Who wants to know what went wrong calls close().
  static_cast<void>(HybridlogEngine::close().has_value());
}

Result<std::unique_ptr<Engine>> HybridlogEngine::open(const Options& options,
                                                      const Environment& environment) {
  std::unique_ptr<HybridlogEngine> engine(new HybridlogEngine(options, environment));
  const Alone alone(*engine);
  if (!engine->folder_.empty()) {
    STRATA_TRY(io::FolderSwap(engine->files_, engine->folder_).recover(engine->read_only_));
  }
  STRATA_TRY(engine->start(0));
  engine->closed_ = false;
  return std::unique_ptr<Engine>(std::move(engine));
}

Result<> HybridlogEngine::start(std::uint64_t above) {
  Options options = options_;
  Manifest manifest = new_manifest(options);
  bool is_new = true;
  if (!folder_.empty()) {
    std::string said;
    STRATA_LET(const std::optional<io::FileInfo> there, files_.stat(folder_));
    std::optional<Manifest> newest;
    if (there) {
      STRATA_LET(newest, read_newest_manifest(files_, folder_, &said));
    }
    if (!said.empty())
      log::warning("W0302", "hybridlog", "a manifest is damaged", {{"said", said}});
    if (newest) {
      manifest = *newest;
      is_new = false;
      if (!read_only_ && !manifest.writable()) {
        return Error(Code::not_supported, "hybridlog: a later version of Strata has written " +
                                              folder_ + ", which this one may only read");
      }
    } else if (!create_ || read_only_) {
      return Error(Code::invalid_argument, "hybridlog: there is no store in " + folder_);
    } else {
      STRATA_TRY(io::create_directories(files_, Checkpointer::segments_folder(folder_)));
      STRATA_LET(const std::vector<std::string> left,
                 io::names_in(files_, Checkpointer::segments_folder(folder_)));
      if (!left.empty()) {
        return Error(Code::corruption,
                     "hybridlog: " + folder_ + " has segments of a log but no manifest");
      }
    }
    options.frame_bits = manifest.frame_bits;
    options.segment_bits = manifest.segment_bits;
  }
  LogOptions log_options;
  log_options.frame_bits = options.frame_bits;
  log_options.segment_bits = options.segment_bits;
  log_options.on_disk = !folder_.empty();
  if (log_options.on_disk) log_options.folder = Checkpointer::segments_folder(folder_);
  log_options.store = manifest.store;

  manifest.voids = voids_at_open(manifest);
  parts_ = std::make_unique<Parts>(files_, clock_, epoch_, options, log_options,
                                   std::max(manifest.clock, above) + 1);
  Parts& parts = *parts_;
  parts.seed = manifest.hash_seed;
  parts.voids = manifest.voids;
  for (const Void& each : parts.voids) {
    parts.voids_limit = std::max(parts.voids_limit, each.limit);
  }
  STRATA_LET(parts.index,
             HashIndex::create(parts.epoch, parts.budget, std::uint64_t{1} << manifest.index_bits));
  if (options.ordered) {
    STRATA_LET(parts.ordered, OrderedIndex::create(parts.epoch, parts.budget));
  }
  const std::string extents = folder_.empty() ? "" : Checkpointer::extents_folder(folder_);
  STRATA_LET(parts.extents, ExtentStore::open(files_, extents, parts.budget, read_only_));
  if (!folder_.empty()) {
    parts.cache = std::make_unique<ReadCache>(parts.budget, parts.budget.limit() / 4);
    STRATA_LET(parts.queue, io::make_read_queue(files_, {.io_uring = options.io_uring}));
  }
  LogStart start;
  start.begin = manifest.begin;
  start.next_segment = manifest.next_segment;
  if (!is_new) {
    STRATA_LET(start.segments, open_segments(files_, folder_, manifest));
  }
  STRATA_TRY(parts.log.start(std::move(start)));
  if (!is_new) STRATA_TRY(recover(parts, manifest, folder_, read_only_));
  reader_ = std::make_unique<Reader>(parts);
  writer_ = std::make_unique<Writer>(parts, *reader_, limits_);
  expirer_ = std::make_unique<Expirer>(parts, *reader_, *writer_);
  if (!folder_.empty()) {
    checkpointer_ = std::make_unique<Checkpointer>(parts, folder_, manifest);
  }
  upkeep_ = std::make_unique<Upkeep>(parts, *reader_, *writer_, *expirer_, checkpointer_.get(),
                                     interval_ms_);
  // What the indexes will want next, and a bit for what is between: overflow buckets, keys in
  // order.
  parts.log.set_headroom([&parts] {
    const std::uint64_t slack =
        std::clamp<std::uint64_t>(parts.budget.limit() / 32, 512 * 1024, std::uint64_t{64} << 20);
    return slack + parts.index->growth_bytes();
  });
  parts.log.set_before_eviction([&parts] { parts.clock.raise(); });
  if (read_only_) return {};
  if (is_new && checkpointer_ != nullptr) {
    // A new store begins with a checkpoint, so that there is one to come back to.
    STRATA_TRY(checkpointer_->take());
  }
  parts.log.set_kick([this] { upkeep_->kick(); });
  if (options.upkeep_thread) STRATA_TRY(upkeep_->start_thread());
  return {};
}

Result<> HybridlogEngine::stop(bool save) {
  Result<> saved;
  if (upkeep_ != nullptr) upkeep_->stop();
  if (save && checkpointer_ != nullptr && !read_only_) {
    const Result<Checkpoint> taken = checkpointer_->take_last();
    if (!taken) saved = taken.error();
  }
  if (parts_ != nullptr) parts_->queue.reset();
  upkeep_.reset();
  checkpointer_.reset();
  expirer_.reset();
  writer_.reset();
  reader_.reset();
  epoch_.drain();
  parts_.reset();
  return saved;
}

Result<> HybridlogEngine::close() {
  const Alone alone(*this);
  if (closed_) {
    return parts_ == nullptr ? Result<>() : stop(false);
  }
  closed_ = true;
  detach_snapshots();
  return stop(true);
}

Capability* HybridlogEngine::find(CapabilityId id) noexcept {
  switch (id) {
    case CapabilityId::ordered:
      return options_.ordered ? static_cast<Ordered*>(this) : nullptr;
    case CapabilityId::atomic_batch:
      return static_cast<AtomicBatch*>(this);
    case CapabilityId::snapshots:
      return static_cast<Snapshots*>(this);
    case CapabilityId::persistence:
      return folder_.empty() ? nullptr : static_cast<Persistence*>(this);
    case CapabilityId::async_reads:
      return static_cast<AsyncReads*>(this);
    default:
      return nullptr;
  }
}

Error HybridlogEngine::closed_error() {
  return Error(Code::closed, "hybridlog: the store is closed");
}

Result<> HybridlogEngine::check_writable() const {
  STRATA_TRY(check_open());
  if (read_only_) {
    return Error(Code::not_supported, "hybridlog: the store in " + folder_ + " is open read-only");
  }
  return {};
}

// --- Snapshots

void HybridlogEngine::detach_snapshots() {
  const base::MutexLock lock(snapshots_mutex_);
  for (OpenSnapshot* const each : snapshots_) each->detach();
  snapshots_.clear();
}

Result<std::unique_ptr<Snapshot>> HybridlogEngine::snapshot() {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  auto snapshot = std::make_unique<OpenSnapshot>(*this);
  const std::optional<VersionClock::Pin> pin = parts_->clock.begin();
  if (!pin) {
    return Error(Code::quota, fmt::format("hybridlog: {} snapshots are open, no more are possible",
                                          VersionClock::kPinsMax));
  }
  snapshot->attach(parts_->clock, *pin, clock_.wall_ms());
  const base::MutexLock lock(snapshots_mutex_);
  snapshots_.insert(snapshot.get());
  return std::unique_ptr<Snapshot>(std::move(snapshot));
}

void HybridlogEngine::release(OpenSnapshot& snapshot) {
  const base::MutexLock lock(snapshots_mutex_);
  if (snapshots_.erase(&snapshot) != 0) snapshot.detach();
}

Result<const Sight*> HybridlogEngine::sight_of(const Snapshot* at) const {
  if (at == nullptr) return static_cast<const Sight*>(nullptr);
  const auto* const snapshot = dynamic_cast<const OpenSnapshot*>(at);
  if (snapshot == nullptr || &snapshot->engine() != this || !snapshot->attached()) {
    return Error(Code::invalid_argument, "hybridlog: the snapshot is not of this engine");
  }
  return &snapshot->sight();
}

// --- Reads and writes

inline PlainRecord HybridlogEngine::get_quickly(KeyRef key, Value& value) {
  const Epoch::QuickGuard guard(epoch_);
  if (!guard.inside() || !open_.load(std::memory_order_acquire)) [[unlikely]]
    return {};
  const Parts& parts = *parts_;
  const KeyView view(key, parts.seed);
  return Reader::get_first(parts, view, parts.index->look_once(view.hash()), parts.log.head(),
                           value);
}

// One frame that holds nothing but what it must, and calls at its end only: see get_quickly().
Result<std::optional<RecordInfo>> HybridlogEngine::get(const KeyRef& key, Value& value,
                                                       const ReadOptions& options) {
  const KeyRef own = key;
  if (options.at == nullptr && !options.info_only && is_quick(own)) [[likely]] {
    const PlainRecord found = get_quickly(own, value);
    if (found.version != 0) [[likely]]
      return info_of(found);
  }
  return get_slowly(key, value, options);
}

Result<std::optional<RecordInfo>> HybridlogEngine::get_slowly(const KeyRef& key, Value& value,
                                                              const ReadOptions& options) {
  if (options.at == nullptr && !options.info_only && !is_quick(key)) {
    const PlainRecord found = get_quickly(key, value);
    if (found.version != 0) [[likely]]
      return info_of(found);
  }
  if (options.at == nullptr) {
    Result<std::optional<RecordInfo>> result(std::in_place, std::nullopt);
    const Epoch::Guard guard(epoch_);
    if (open_.load(std::memory_order_acquire) &&
        reader_->get_from_memory(key, value, options.info_only, result)) {
      return result;
    }
  }
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  STRATA_LET(const Sight* const sight, sight_of(options.at));
  return reader_->get(key, value, sight == nullptr ? Sight{} : *sight, options.info_only);
}

Result<> HybridlogEngine::mget(std::span<Read> reads, const ReadOptions& options) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  STRATA_LET(const Sight* const sight, sight_of(options.at));
  return reader_->mget(reads, sight, options.info_only);
}

std::optional<Result<>> HybridlogEngine::start_mget(std::span<Read> reads,
                                                    const ReadOptions& options,
                                                    ReadCompletion& then) {
  const base::ReaderGate::Pass pass(gate_);
  if (const Result<> open = check_open(); !open) return open;
  const Result<const Sight*> sight = sight_of(options.at);
  if (!sight) return Result<>(sight.error());
  return reader_->start_mget(reads, *sight, options.info_only, then);
}

Result<Commit> HybridlogEngine::commit(const WriteBatch& batch, const WriteOptions& options) {
  const std::span<const Effect> effects = batch.effects();
  if (effects.size() == 1 && effects[0].kind == EffectKind::put && batch.conditions().empty()) {
    const Effect& put = effects[0];
    const Version version = HybridlogEngine::try_put(put.key, put.value, put.attributes, options);
    if (version != Version{}) [[likely]]
      return Commit{version, {}};
  }
  if (effects.size() > 1 && effects.size() <= kBatchInPlaceMax && batch.conditions().empty() &&
      !read_only_ && options.durability <= limits_.durability_max) {
    const Version version = put_all_quickly(effects);
    if (version != Version{}) return Commit{version, {}};
  }
  return commit_at_gate(batch, options);
}

Version HybridlogEngine::put_all_quickly(std::span<const Effect> effects) {
  const Epoch::QuickGuard guard(epoch_);
  if (!guard.inside() || !open_.load(std::memory_order_acquire)) return {};
  if (owes_upkeep(*parts_)) return {};
  return put_all_in_place(*parts_, effects);
}

template <class Look>
inline Version HybridlogEngine::put_quickly(KeyRef key, BytesView value, std::uint64_t expected,
                                            Look look) {
  const Epoch::QuickGuard guard(epoch_);
  if (!guard.inside() || !open_.load(std::memory_order_acquire)) [[unlikely]]
    return {};
  Parts& parts = *parts_;
  if (owes_upkeep(parts)) return {};
  const KeyView view(key, parts.seed);
  return Writer::put_in_place(parts, view, look(*parts.index, view.hash()), value, expected);
}

Version HybridlogEngine::try_put(const KeyRef& key, BytesView value,
                                 const RecordAttributes& attributes, const WriteOptions& options) {
  if (read_only_ || !are_default(attributes) || options.durability > limits_.durability_max) {
    return {};
  }
  const KeyRef own = key;
  if (is_quick(own)) [[likely]] {
    const Version version = put_quickly(own, value, 0, look_once);
    if (version != Version{}) [[likely]]
      return version;
  }
  return key.key.size() <= limits_.key_bytes_max ? overwrite(key, value, 0) : Version{};
}

Version HybridlogEngine::overwrite(const KeyRef& key, BytesView value, std::uint64_t expected) {
  return put_quickly(key, value, expected,
                     [](const HashIndex& index, std::uint64_t hash) { return index.look(hash); });
}

Result<Commit> HybridlogEngine::commit_at_gate(const WriteBatch& batch,
                                               const WriteOptions& options) {
  // Without an order of keys nothing tells which new ones a range gets meanwhile.
  std::optional<Alone> alone;
  std::optional<base::ReaderGate::Pass> pass;
  if (!options_.ordered && deletes_range(batch)) {
    alone.emplace(*this);
  } else {
    pass.emplace(gate_);
  }
  STRATA_TRY(check_writable());
  STRATA_TRY(contract::check_limits(batch, limits_));
  STRATA_TRY(contract::check_durability(options.durability, limits_));
  Result<Commit> done = writer_->commit(batch);
  // A bit of upkeep; what goes wrong with it is not this batch's affair.
  static_cast<void>(expirer_->sweep(kSweptPerCommit).has_value());
  return done;
}

/// What an update's function is given; with room for what can be overwritten.
struct HybridlogEngine::UpdateScratch {
  UpdateScratch() { value.prepare(kInPlaceBytesMax); }

  Value value;
  Current current{RecordInfo{}, {}};
  Update update;
};

Result<Version> HybridlogEngine::update_quickly(const KeyRef& key, UpdateFunction function) {
  const base::ThreadLease<UpdateScratch> scratch;
  Current& current = scratch->current;
  Update& update = scratch->update;
  {
    const Epoch::QuickGuard guard(epoch_);
    if (!guard.inside() || !open_.load(std::memory_order_acquire)) return Version{};
    const Parts& parts = *parts_;
    if (owes_upkeep(parts)) return Version{};
    const KeyView view(key, parts.seed);
    const PlainRecord found = Reader::get_first(parts, view, parts.index->look(view.hash()),
                                                parts.log.read_only(), scratch->value);
    if (found.version == 0) return Version{};
    current.info->version = Version{found.version};
    current.info->value_bytes = found.value_bytes;
  }
  current.value = scratch->value.view();
  update.action = Update::Action::keep;
  update.value.clear();
  if (update.value.capacity() > kScratchBytesMax) [[unlikely]]
    update.value = Bytes();  // memory that no budget counts
  if (!are_default(update.attributes)) update.attributes = {};
  STRATA_TRY(function(current, update));
  if (update.action == Update::Action::keep) return current.info->version;
  if (update.action != Update::Action::put || !are_default(update.attributes)) return Version{};
  return overwrite(key, update.value, current.info->version.value);
}

Result<Commit> HybridlogEngine::update(const KeyRef& key, UpdateFunction function,
                                       const WriteOptions& options) {
  if (is_quick(key) && !read_only_ && options.durability <= limits_.durability_max) {
    STRATA_LET(const Version version, update_quickly(key, function));
    if (version != Version{}) return Commit{version, {}};
  }
  return update_at_gate(key, function, options);
}

Result<Commit> HybridlogEngine::update_at_gate(const KeyRef& key, UpdateFunction function,
                                               const WriteOptions& options) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_writable());
  STRATA_TRY(contract::check_durability(options.durability, limits_));
  if (key.key.size() > limits_.key_bytes_max) {
    WriteBatch batch;
    batch.remove(key);
    STRATA_TRY(contract::check_limits(batch, limits_));
  }
  return writer_->update(key, function);
}

Result<std::uint64_t> HybridlogEngine::count(Keyspace space) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  return expirer_->count_alive(space);
}

Result<Maintenance> HybridlogEngine::maintain(std::uint32_t records) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  Maintenance done;
  if (read_only_) return done;
  STRATA_LET(const Expirer::Swept swept, expirer_->sweep(records));
  done.expired = swept.removed;
  done.more = swept.looked_at == records;
  STRATA_TRY(upkeep_->keep_interval());
  if (!options_.upkeep_thread) {
    STRATA_LET(const bool more, upkeep_->step());
    done.more |= more;
  }
  return done;
}

Stats HybridlogEngine::stats() {
  Stats stats;
  const base::ReaderGate::Pass pass(gate_);
  if (closed_) return stats;
  Parts& parts = *parts_;
  const std::int64_t live = parts.live_bytes.load(std::memory_order_relaxed);
  stats.keys = expirer_->count_alive(std::nullopt).value_or(parts.counts.count_users());
  stats.bytes_live = live < 0 ? 0 : static_cast<std::uint64_t>(live);
  stats.bytes_memory = parts.budget.used();
  stats.bytes_disk = parts.log.bytes_on_disk() + parts.extents->bytes_disk();
  {
    const base::MutexLock lock(snapshots_mutex_);
    stats.snapshots = snapshots_.size();
  }
  const auto more = [&](const char* name, double value) { stats.more.push_back({name, value}); };
  const auto bytes = [&](const char* name, std::uint64_t value) {
    more(name, static_cast<double>(value));
  };
  bytes("memory_budget_bytes", parts.budget.limit());
  bytes("log_begin", parts.log.begin());
  bytes("log_head", parts.log.head());
  bytes("log_read_only", parts.log.read_only());
  bytes("log_tail", parts.log.tail());
  bytes("log_bytes", parts.log.bytes_held());
  bytes("log_frames", parts.log.frames_held());
  bytes("log_frame_bytes", parts.log.frame_bytes());
  bytes("index_buckets", parts.index->buckets());
  bytes("index_entries", parts.index->entries());
  bytes("index_overflow_buckets", parts.index->overflow_buckets());
  bytes("index_bytes", parts.index->bytes());
  more("index_load", static_cast<double>(parts.index->entries()) /
                         static_cast<double>(parts.index->buckets() * 7));
  bytes("ordered_bytes", parts.ordered == nullptr ? 0 : parts.ordered->bytes());
  bytes("old_versions", parts.old.count());
  bytes("old_versions_bytes", parts.old.bytes());
  bytes("extents", parts.extents->count());
  bytes("extents_bytes_disk", parts.extents->bytes_disk());
  bytes("extents_bytes_memory", parts.extents->bytes_memory());
  if (parts.cache != nullptr) {
    bytes("read_cache_bytes", parts.cache->bytes());
    bytes("read_cache_hits", parts.cache->hits());
    bytes("read_cache_misses", parts.cache->misses());
  }
  bytes("expiring", parts.expiry.count());
  bytes("segments_compacted", upkeep_->segments_compacted());
  more("space_amplification",
       live <= 0 ? 1.0 : static_cast<double>(parts.log.bytes_held()) / static_cast<double>(live));
  if (checkpointer_ != nullptr) {
    more("checkpoint_time_ms", static_cast<double>(checkpointer_->last_time_ms()));
  }
  bytes("version", parts.clock.now());
  return stats;
}

// --- Persistence

Result<Checkpoint> HybridlogEngine::checkpoint(const std::string& folder) {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_writable());
  STRATA_TRY(io::create_directories(files_, folder));
  STRATA_LET(const std::vector<std::string> names, io::names_in(files_, folder));
  if (!names.empty()) {
    return Error(Code::invalid_argument,
                 "hybridlog: the folder for a checkpoint, " + folder + ", is not empty");
  }
  STRATA_TRY(files_.create_directory(folder + "/db"));
  STRATA_LET(const Checkpoint taken, checkpointer_->copy_to(folder + "/db"));
  STRATA_TRY(files_.sync_directory(folder));
  return taken;
}

Result<> HybridlogEngine::compact() {
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_writable());
  while (true) {
    STRATA_LET(const Expirer::Swept swept, expirer_->sweep(1024));
    if (swept.looked_at == 0) break;
  }
  return upkeep_->compact_all();
}

}  // namespace strata::backends::hybridlog
