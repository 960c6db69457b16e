// Opening, reading, figures and closing. Writes stand in file_write.cc, walks in file_scan.cc.
#include "backends/file/file_engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/file/names.h"
#include "base/check.h"
#include "io/files.h"

namespace strata::backends::file {

Result<std::unique_ptr<Engine>> FileEngine::open(io::FileSystem& files, const base::Clock& clock,
                                                 Options options) {
  if (options.root.empty()) {
    return Error(Code::invalid_argument, "the backend file needs a folder, and none was given");
  }
  MetaFile meta_file(files, options.root);
  STRATA_LET(const std::optional<Meta> meta, meta_file.read());
  if (!meta && (options.read_only || !options.create)) {
    return Error(Code::io, fmt::format("there is no file store in {}", options.root));
  }
  if (!meta) STRATA_TRY(io::create_directories(files, options.root));
  const bool clean = !meta || meta->clean;
  std::unique_ptr<FileEngine> engine(new FileEngine(files, clock, std::move(options), clean));
  STRATA_TRY(engine->load(meta));
  return engine;
}

FileEngine::FileEngine(io::FileSystem& files, const base::Clock& clock, Options options, bool clean)
    : files_(files),
      clock_(clock),
      options_(std::move(options)),
      clean_(clean),
      meta_(files, options_.root),
      records_(files, clock,
               {.root = options_.root,
                .read_only = options_.read_only,
                .clean = clean,
                .interval_ms = options_.interval_ms}),
      readers_({.name = "file-read", .threads_max = options_.read_threads}) {}

Result<> FileEngine::load(const std::optional<Meta>& meta) {
  std::vector<std::uint32_t> found;
  STRATA_TRY(files_.list_directory(options_.root, [&](std::string_view name, io::FileKind kind) {
    const std::optional<std::uint32_t> number = parse_keyspace_name(name);
    if (number && kind == io::FileKind::directory) found.push_back(*number);
    return true;
  }));
  if (!meta && !found.empty()) {
    return Error(Code::corruption, fmt::format("file store {} has records and no {}", options_.root,
                                               MetaFile::kName));
  }
  for (const std::uint32_t number : found) {
    auto space = std::make_unique<Space>(Keyspace{number},
                                         io::join_path(options_.root, std::to_string(number)));
    const auto known = meta->keyspaces.find(number);
    if (clean_ && known != meta->keyspaces.end() && known->second.expiring == 0) {
      space->census.assume(known->second);
    }
    const base::MutexLock lock(spaces_mutex_);
    spaces_.emplace(number, std::move(space));
  }
  if (!options_.read_only) STRATA_TRY(meta_.start(meta.value_or(Meta{})));
  loaded_ = true;
  return {};
}

FileEngine::~FileEngine() {
  const Result<> closed = close();
  static_cast<void>(closed);  // a destructor cannot report; close() does for who asks
}

Capability* FileEngine::find(CapabilityId id) noexcept {
  return id == CapabilityId::async_reads ? static_cast<AsyncReads*>(this) : nullptr;
}

Limits FileEngine::limits() const {
  Limits limits;
  limits.batch_effects_max = 1;
  return limits;
}

Result<> FileEngine::check_open() const {
  if (!closed_.load(std::memory_order_acquire)) return {};
  return Error(Code::closed, fmt::format("file store {}: used after close", options_.root));
}

Result<> FileEngine::check_writable() const {
  STRATA_TRY(check_open());
  if (!options_.read_only) return {};
  return Error(Code::not_supported,
               fmt::format("file store {}: opened read-only, it takes no writes", options_.root));
}

Space* FileEngine::find_space(Keyspace space) {
  const base::MutexLock lock(spaces_mutex_);
  const auto found = spaces_.find(static_cast<std::uint32_t>(space));
  return found == spaces_.end() ? nullptr : found->second.get();
}

Space& FileEngine::make_space(Keyspace keyspace) {
  const auto number = static_cast<std::uint32_t>(keyspace);
  const base::MutexLock lock(spaces_mutex_);
  std::unique_ptr<Space>& space = spaces_[number];
  if (space == nullptr) {
    space = std::make_unique<Space>(keyspace, io::join_path(options_.root, std::to_string(number)));
    // There is no folder yet: nothing to count, nothing to put in order.
    space->census.assume({});
    const base::MutexLock survey_lock(space->survey_mutex);
    space->surveyed = kLeaves;
    for (Space::Top& top : space->tops) top.checked.store(UINT16_MAX, std::memory_order_release);
  }
  return *space;
}

std::vector<Space*> FileEngine::all_spaces() {
  std::vector<Space*> all;
  const base::MutexLock lock(spaces_mutex_);
  for (const auto& [number, space] : spaces_) all.push_back(space.get());
  return all;
}

std::optional<RecordId> FileEngine::locate(const KeyRef& key) {
  Space* const space = find_space(key.space);
  if (space == nullptr) return {};
  Place place = place_of(key.key);
  return RecordId{space, place.leaf, std::move(place.name)};
}

bool FileEngine::is_expired(const RecordAttributes& attributes) const {
  return attributes.expires_ms != kNeverExpires && attributes.expires_ms <= clock_.wall_ms();
}

// --- Reading

Result<std::optional<RecordInfo>> FileEngine::get(const KeyRef& key, Value& value,
                                                  const ReadOptions& options) {
  value.clear();
  STRATA_TRY(check_open());
  if (options.at != nullptr) {
    return Error(Code::not_supported, "the backend file has no snapshots to read at");
  }
  const std::optional<RecordId> id = locate(key);
  if (!id) return std::optional<RecordInfo>{};
  STRATA_LET(std::optional<Sidecar> found,
             records_.read(*id, options.info_only ? nullptr : &value, stripes_));
  if (!found || is_expired(found->info)) {
    value.clear();
    return std::optional<RecordInfo>{};
  }
  return std::optional<RecordInfo>(std::move(found->info));
}

Result<> FileEngine::mget(std::span<Read> reads, const ReadOptions& options) {
  STRATA_TRY(check_open());
  for (Read& read : reads) {
    STRATA_LET(read.info, get(read.key, read.value, options));
  }
  return {};
}

std::optional<Result<>> FileEngine::start_mget(std::span<Read> reads, const ReadOptions& options,
                                               ReadCompletion& then) {
  const Result<> submitted =
      readers_.submit([this, reads, options, &then] { then.complete(mget(reads, options)); });
  if (submitted) return std::nullopt;
  return mget(reads, options);  // no thread to be had: the caller's does it
}

// --- Figures and the end

Stats FileEngine::stats() {
  constexpr std::uint64_t kBlockBytes = 4096;
  constexpr std::uint64_t kPendingBytes = 512;
  Stats stats;
  double counted = 1;
  for (Space* space : all_spaces()) {
    const Census::Totals totals = space->census.totals();
    if (!space->census.complete()) {
      counted = 0;  // and what is not known is not said
    } else if (space->number >= kFirstUserKeyspace) {
      stats.keys += space->census.visible(clock_.wall_ms());
    }
    stats.bytes_live += totals.bytes;
    stats.bytes_disk += totals.blocks * kBlockBytes;
    stats.bytes_memory += sizeof(Space) + space->census.memory_bytes();
  }
  const std::size_t pending = records_.pending();
  stats.bytes_memory += pending * kPendingBytes;
  stats.more = {{"pending", static_cast<double>(pending)},
                {"orphans", static_cast<double>(orphans_.load(std::memory_order_relaxed))},
                {"damaged", static_cast<double>(damaged_.load(std::memory_order_relaxed))},
                {"counted", counted}};
  return stats;
}

Result<> FileEngine::close() {
  if (closed_.exchange(true, std::memory_order_acq_rel)) return {};
  readers_.drain();
  if (options_.read_only || !loaded_) return {};
  bool clean = true;
  std::map<std::uint32_t, Census::Totals> keyspaces;
  STRATA_TRY(records_.settle(true, SIZE_MAX, stripes_));
  STRATA_TRY(records_.failed());
  for (Space* space : all_spaces()) {
    const base::MutexLock lock(space->survey_mutex);
    clean = clean && (clean_ || space->surveyed == kLeaves);
    if (space->census.complete()) {
      keyspaces.emplace(static_cast<std::uint32_t>(space->number), space->census.totals());
    }
  }
  return meta_.finish(clean, std::move(keyspaces));
}

}  // namespace strata::backends::file
