// Checkpoints of a MemoryEngine: on request, and in its own folder from one opening to the next.
//
//   <folder>/checkpoint-00000000000000000042/records.strata     the newest counts
//   <folder>/checkpoint.tmp/                                    not finished; swept away
#include <algorithm>
#include <charconv>

#include "backends/memory/checkpoint.h"
#include "backends/memory/memory_engine.h"
#include "base/quote.h"
#include "io/files.h"

namespace strata::backends::memory {

namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kUnfinished = "checkpoint.tmp";
constexpr std::size_t kDigits = 20;

std::string name_of(Version version) {
  const std::string digits = std::to_string(version.value);
  return std::string(kPrefix) + std::string(kDigits - digits.size(), '0') + digits;
}

std::optional<Version> version_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kDigits) return std::nullopt;
  Version version;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, version.value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return version;
}

Result<std::vector<Version>> checkpoints_in(io::FileSystem& files, const std::string& folder) {
  std::vector<Version> found;
  STRATA_TRY(files.list_directory(folder, [&](std::string_view name, io::FileKind) {
    if (const auto version = version_of(name)) found.push_back(*version);
    return true;
  }));
  std::ranges::sort(found);
  return found;
}

}  // namespace

/// All of a checkpoint, before any of it counts.
struct MemoryEngine::Loaded final : CheckpointVisitor {
  void record(Keyspace space, BytesView key, Revision revision) override {
    records.push_back({{space, Bytes(key)}, std::move(revision)});
  }
  void prepared(BytesView id, WriteBatch batch) override {
    batches.insert_or_assign(Bytes(id), std::move(batch));
  }

  struct Record {
    StoredKey key;
    Revision revision;
  };
  std::vector<Record> records;
  std::map<Bytes, WriteBatch> batches;
};

Result<std::unique_ptr<Engine>> open_with(const MemoryOptions& options,
                                          const Environment& environment) {
  auto engine = std::make_unique<MemoryEngine>(options, environment);
  STRATA_TRY(engine->load(environment.create && !environment.read_only));
  return engine;
}

Result<> MemoryEngine::load(bool create) {
  if (folder_.empty()) return {};
  STRATA_LET(const std::vector<Version> found, checkpoints_in(files_, folder_));
  if (found.empty()) {
    // An empty checkpoint: from here on a store without one is damaged, not merely killed early.
    if (create) return save_anew();
    return Error(Code::io, "memory store " + base::quote(folder_) + ": there is no checkpoint");
  }
  Loaded loaded;
  STRATA_LET(const Checkpoint checkpoint,
             read_checkpoint(files_, io::join_path(folder_, name_of(found.back())), loaded));
  const base::WriterLock lock(mutex_);
  for (Loaded::Record& record : loaded.records) {
    store_.put(record.key.ref(), std::move(record.revision));
  }
  for (const auto& [id, batch] : loaded.batches) prepared_.add(id, batch);
  store_.raise_version(checkpoint.version);
  log_.reset(checkpoint.version);
  saved_ = checkpoint.version;
  return {};
}

Result<> MemoryEngine::save() {
  if (folder_.empty() || read_only_) return {};
  {
    const base::ReaderLock lock(mutex_);
    if (saved_ == store_.version()) return {};
  }
  return save_anew();
}

Result<> MemoryEngine::save_anew() {
  const std::string unfinished = io::join_path(folder_, kUnfinished);
  STRATA_TRY(io::remove_all(files_, unfinished));
  STRATA_TRY(io::create_directories(files_, unfinished));
  STRATA_LET(const Checkpoint written, write_checkpoint(unfinished));
  STRATA_TRY(files_.rename(unfinished, io::join_path(folder_, name_of(written.version))));
  STRATA_TRY(files_.sync_directory(folder_));
  {
    const base::WriterLock lock(mutex_);
    saved_ = written.version;
  }
  STRATA_LET(const std::vector<Version> found, checkpoints_in(files_, folder_));
  for (const Version old : found) {
    if (old < written.version) {
      STRATA_TRY(io::remove_all(files_, io::join_path(folder_, name_of(old))));
    }
  }
  return files_.sync_directory(folder_);
}

Result<Checkpoint> MemoryEngine::checkpoint(const std::string& folder) {
  {
    const base::ReaderLock lock(mutex_);
    STRATA_TRY(check_open());
  }
  STRATA_TRY(io::create_directories(files_, folder));
  bool empty = true;
  STRATA_TRY(files_.list_directory(folder, [&](std::string_view, io::FileKind) {
    empty = false;
    return false;
  }));
  if (!empty) {
    return Error(Code::invalid_argument,
                 "checkpoint folder " + base::quote(folder) + " is not empty");
  }
  return write_checkpoint(folder);
}

Result<Checkpoint> MemoryEngine::write_checkpoint(const std::string& folder) {
  // The snapshot and the prepared batches are of one moment.
  std::map<Bytes, WriteBatch> prepared;
  Sight sight;
  {
    const base::WriterLock lock(mutex_);
    for (const Bytes& id : prepared_.ids()) append_batch(*prepared_.find(id), prepared[id]);
    sight = {store_.hold(), clock_.wall_ms()};
  }
  const auto let_go = [this](const Version* version) { release(*version); };
  const std::unique_ptr<const Version, decltype(let_go)> held(&sight.version, let_go);

  STRATA_LET(CheckpointWriter writer,
             CheckpointWriter::create(files_, folder, sight.version, sight.time_ms));
  Range rest = Range::all(kSystemKeyspace);
  ScanPage page;
  while (true) {
    bool more = false;
    {
      const base::ReaderLock lock(mutex_);
      const auto space = store_.next_space(rest.space);
      if (!space) break;
      if (*space != rest.space) rest = Range::all(*space);
      more = fill(rest, {}, sight, page);
    }
    for (std::size_t i = 0; i < page.size(); ++i) {
      STRATA_TRY(writer.add_record(rest.space, page[i].key, page[i].info, page[i].value));
    }
    if (more) {
      rest.begin = Bytes(page[page.size() - 1].key) + '\0';
    } else {
      if (rest.space == Keyspace{UINT32_MAX}) break;
      rest = Range::all(Keyspace{static_cast<std::uint32_t>(rest.space) + 1});
    }
  }
  for (const auto& [id, batch] : prepared) STRATA_TRY(writer.add_prepared(id, batch));
  return writer.finish();
}

Result<Checkpoint> MemoryEngine::restore(const std::string& folder) {
  Loaded loaded;
  STRATA_LET(const Checkpoint checkpoint, read_checkpoint(files_, folder, loaded));
  {
    const base::WriterLock lock(mutex_);
    STRATA_TRY(check_writable());
    if (!prepared_.empty()) {
      return Error(Code::busy, "memory store: a prepared batch waits, so nothing is restored");
    }
    store_.raise_version(checkpoint.version);
    const Version version = store_.next_version();
    store_.remove_all(version);
    for (Loaded::Record& record : loaded.records) {
      record.revision.version = version;
      store_.put(record.key.ref(), std::move(record.revision));
    }
    for (const auto& [id, batch] : loaded.batches) prepared_.add(id, batch);
    log_.reset(version);
  }
  watchers_.tell_all();
  return checkpoint;
}

Result<> MemoryEngine::compact() {
  constexpr std::uint32_t kStep = 1024;
  bool more = true;
  while (more) {
    STRATA_LET(const Maintenance done, maintain(kStep));
    more = done.more;
  }
  return {};
}

}  // namespace strata::backends::memory
