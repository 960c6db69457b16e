// The protocol of docs/formats/file.md, call by call. The order of the calls is what a crash tests.
#include "backends/file/records.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/files.h"

namespace strata::backends::file {

namespace {

// A reader that is overtaken this often by writers of the same key waits for the stripe.
constexpr int kReadAttempts = 4;

std::uint16_t bit_of(Leaf leaf) { return static_cast<std::uint16_t>(1u << leaf % kLeavesPerTop); }

std::string with(const std::string& name, std::string_view suffix) {
  return name + std::string(suffix);
}

std::optional<Census::Weight> weigh_before(const Records::Before& before) {
  if (before.sidecar) return weigh(*before.sidecar);
  if (before.damaged) return Census::Weight{};
  return {};
}

}  // namespace

Census::Weight weigh(const Sidecar& sidecar) {
  constexpr std::uint64_t kBlockBytes = 4096;
  const std::uint64_t value_blocks = (sidecar.info.value_bytes + kBlockBytes - 1) / kBlockBytes;
  const std::uint64_t sidecar_blocks = 1 + 2 * sidecar.key.size() / kBlockBytes;
  return {.expires_ms = sidecar.info.expires_ms,
          .bytes = sidecar.key.size() + sidecar.info.value_bytes,
          .blocks = value_blocks + sidecar_blocks};
}

// --- Reading

bool Records::checked(const Space& space, Leaf leaf) const {
  if (options_.clean) return true;
  const auto bits = space.tops[top_of(leaf)].checked.load(std::memory_order_acquire);
  return (bits & bit_of(leaf)) != 0;
}

Result<> Records::check(Space& space, Leaf leaf, const Stripes::Guard&) {
  if (options_.read_only || checked(space, leaf)) return {};
  const LeafFolder folder(files_, RecordId{&space, leaf, {}}.folder());
  STRATA_LET(const bool promoted, folder.repair());
  if (promoted) STRATA_TRY(sync_folders(space, leaf));
  space.tops[top_of(leaf)].checked.fetch_or(bit_of(leaf), std::memory_order_release);
  return {};
}

Result<std::optional<Sidecar>> Records::load(const RecordId& id, bool& moved) {
  moved = false;
  if (options_.read_only && !options_.clean) return leaf(id).settled_sidecar(id.name);
  const bool staged = pending_.staged(id.path());
  Result<std::optional<Sidecar>> found =
      leaf(id).sidecar(id.name, staged ? kNextSuffix : kMetaSuffix);
  // Not where it was said to be a moment ago: it has become durable, or has gone.
  moved = staged && found && !*found;
  return found;
}

Result<std::optional<Sidecar>> Records::read(const RecordId& id, Value* value, Stripes& stripes) {
  if (checked(*id.space, id.leaf) || options_.read_only) {
    for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
      bool moved = false;
      STRATA_LET(std::optional<Sidecar> found, load(id, moved));
      if (moved) continue;
      if (!found || value == nullptr) return found;
      STRATA_LET(const bool there, leaf(id).value(*found, *value));
      if (there) return found;
    }
  }
  return read(id, value, stripes.lock(top_of(id.leaf)));
}

Result<std::optional<Sidecar>> Records::read(const RecordId& id, Value* value,
                                             const Stripes::Guard& guard) {
  STRATA_TRY(check(*id.space, id.leaf, guard));
  bool moved = false;
  STRATA_LET(std::optional<Sidecar> found, load(id, moved));
  if (moved) {
    return Error(Code::corruption,
                 fmt::format("sidecar {} (key {}) has gone", leaf(id).file(id.name, kNextSuffix),
                             describe_key(id.name)));
  }
  if (!found || value == nullptr) return found;
  STRATA_LET(const bool there, leaf(id).value(*found, *value));
  if (!there) {
    return Error(Code::corruption,
                 fmt::format("value {} of key {} has gone", leaf(id).file(found->value_file),
                             describe_key(id.name)));
  }
  return found;
}

Result<Records::Before> Records::before(const RecordId& id, const Stripes::Guard& guard) {
  Result<std::optional<Sidecar>> found = read(id, nullptr, guard);
  if (found) return Before{*std::move(found), false};
  if (found.error().code() != Code::corruption) return found.error();
  return Before{{}, true};
}

Result<std::vector<unsigned>> Records::tops(const Space& space) const {
  std::vector<unsigned> found;
  STRATA_LET(const auto there, files_.stat(space.folder));
  if (!there) return found;
  STRATA_TRY(files_.list_directory(space.folder, [&](std::string_view name, io::FileKind kind) {
    const std::optional<unsigned> top = parse_top_name(name);
    if (top && kind == io::FileKind::directory) found.push_back(*top);
    return true;
  }));
  std::ranges::sort(found);
  return found;
}

Result<std::vector<Leaf>> Records::leaves(const Space& space, unsigned top) const {
  std::vector<Leaf> found;
  const std::string folder = space.folder + "/" + top_name(top);
  STRATA_LET(const auto there, files_.stat(folder));
  if (!there) return found;
  STRATA_TRY(files_.list_directory(folder, [&](std::string_view name, io::FileKind kind) {
    const std::optional<unsigned> digit = parse_leaf_digit(name);
    if (digit && kind == io::FileKind::directory) {
      found.push_back(static_cast<Leaf>(top * kLeavesPerTop + *digit));
    }
    return true;
  }));
  std::ranges::sort(found);
  return found;
}

Result<LeafFolder::Listing> Records::list(Space& space, Leaf leaf, const Stripes::Guard& guard) {
  STRATA_TRY(check(space, leaf, guard));
  return LeafFolder(files_, RecordId{&space, leaf, {}}.folder()).list();
}

// --- Folders

Result<> Records::make_folders(const RecordId& id) {
  Space& space = *id.space;
  Space::Top& top = space.tops[top_of(id.leaf)];
  if ((top.made & bit_of(id.leaf)) != 0) return {};
  {
    const base::MutexLock lock(space.mutex);
    if (!space.made) {
      STRATA_TRY(files_.create_directory(space.folder));
      space.made = true;
    }
  }
  STRATA_TRY(files_.create_directory(space.folder + "/" + top_name(top_of(id.leaf))));
  STRATA_TRY(files_.create_directory(id.folder()));
  top.made = static_cast<std::uint16_t>(top.made | bit_of(id.leaf));
  return {};
}

Result<> Records::sync_folders(Space& space, Leaf leaf) {
  Space::Top& top = space.tops[top_of(leaf)];
  STRATA_TRY(files_.sync_directory(space.folder + "/" + leaf_path(leaf)));
  if ((top.synced & bit_of(leaf)) == 0) {
    STRATA_TRY(files_.sync_directory(space.folder + "/" + top_name(top_of(leaf))));
    top.synced = static_cast<std::uint16_t>(top.synced | bit_of(leaf));
  }
  if (!top.top_synced) {
    STRATA_TRY(files_.sync_directory(space.folder));
    top.top_synced = true;
  }
  const base::MutexLock lock(space.mutex);
  if (!space.synced) {
    STRATA_TRY(files_.sync_directory(options_.root));
    space.synced = true;
  }
  return {};
}

// --- Writing

Result<> Records::write(const RecordId& id, const Before& before, const Sidecar& next,
                        const BytesView* value, Durability durability, const Stripes::Guard&) {
  STRATA_TRY(failed());
  STRATA_TRY(make_folders(id));
  const LeafFolder folder = leaf(id);
  const bool now = durability == Durability::commit;
  const std::string temp = with(id.name, kTempSuffix);
  Result<> written;
  if (value != nullptr) {
    written = folder.write(next.value_file, *value, now);
  } else if (now && pending_.staged(id.path())) {
    written = folder.sync_file(next.value_file);
  }
  if (written) written = folder.write(temp, encode_sidecar(next), now);
  // The rename must not survive a crash that the value's name does not.
  if (written && now) {
    if (const Result<> synced = files_.sync_directory(id.folder()); !synced) {
      written = fail(synced.error());
    }
  }
  if (written) {
    written =
        files_.rename(folder.file(temp), folder.file(id.name, now ? kMetaSuffix : kNextSuffix));
  }
  if (!written) {  // the old pair is as it was
    folder.discard(temp);
    if (value != nullptr) folder.discard(next.value_file);
    return written;
  }
  return now ? commit_now(id, before, next) : stage(id, before, next, durability);
}

Result<std::vector<std::string>> Records::replaced_values(const RecordId& id,
                                                          const Before& before) const {
  std::vector<std::string> values;
  if (before.sidecar) values.push_back(before.sidecar->value_file);
  if (before.damaged) {
    STRATA_LET(LeafFolder::Listing listing, leaf(id).list());
    for (const std::uint64_t version : listing.records[id.name].values) {
      values.push_back(value_file_name(id.name, version));
    }
  }
  return values;
}

Result<> Records::commit_now(const RecordId& id, const Before& before, const Sidecar& next) {
  const std::string path = id.path();
  const LeafFolder folder = leaf(id);
  id.space->census.change(id.leaf, id.name, weigh_before(before), weigh(next));
  STRATA_LET(std::vector<std::string> old_values, replaced_values(id, before));
  if (const std::optional<Pending::Entry> waiting = pending_.find(path)) {
    old_values.insert(old_values.end(), waiting->old_values.begin(), waiting->old_values.end());
    pending_.erase(path);  // from now on readers look at @meta.json
    if (waiting->staged) folder.discard(with(id.name, kNextSuffix));
  }
  if (const Result<> synced = sync_folders(*id.space, id.leaf); !synced) {
    return fail(synced.error());
  }
  for (const std::string& old : old_values) {
    if (old != next.value_file) folder.discard(old);
  }
  return {};
}

Pending::Entry Records::entry(const RecordId& id, Durability durability) const {
  const std::int64_t wait_ms =
      durability == Durability::none ? kNoneSettlesMs : options_.interval_ms;
  const std::int64_t deadline_ms = clock_.monotonic_ms() + wait_ms;
  std::optional<Pending::Entry> waiting = pending_.find(id.path());
  if (!waiting) {
    waiting.emplace();
    waiting->id = id;
    waiting->deadline_ms = deadline_ms;
  }
  waiting->deadline_ms = std::min(waiting->deadline_ms, deadline_ms);
  return *std::move(waiting);
}

Result<> Records::stage(const RecordId& id, const Before& before, const Sidecar& next,
                        Durability durability) {
  Pending::Entry waiting = entry(id, durability);
  id.space->census.change(id.leaf, id.name, weigh_before(before), weigh(next));
  STRATA_LET(const std::vector<std::string> old_values, replaced_values(id, before));
  std::vector<std::string> gone;
  for (const std::string& old : old_values) {
    const bool kept = std::ranges::find(waiting.old_values, old) != waiting.old_values.end();
    if (!waiting.staged && !kept) {
      // Named by a durable sidecar, also where the new one keeps it: it stays until settled.
      waiting.old_values.push_back(old);
    } else if (waiting.staged && !kept && old != next.value_file) {
      gone.push_back(old);  // the value of an earlier staged write, named by nothing durable
    }
  }
  waiting.staged = true;
  waiting.value_file = next.value_file;
  pending_.set(id.path(), std::move(waiting));
  for (const std::string& old : gone) leaf(id).discard(old);
  return {};
}

Result<> Records::remove(const RecordId& id, const Before& before, Durability durability,
                         const Stripes::Guard& guard) {
  STRATA_TRY(failed());
  if (!before.sidecar && !before.damaged) {
    // It is gone already, but perhaps not durably.
    return durability == Durability::commit ? settle(id, guard) : Result<>();
  }
  const LeafFolder folder = leaf(id);
  Pending::Entry waiting = entry(id, durability);
  STRATA_LET(const std::vector<std::string> values, replaced_values(id, before));
  STRATA_TRY(files_.remove(folder.file(id.name, kMetaSuffix)));
  if (waiting.staged) STRATA_TRY(files_.remove(folder.file(id.name, kNextSuffix)));
  id.space->census.change(id.leaf, id.name, weigh_before(before), {});

  // A sidecar that comes back after a crash must find its value: values go after the folder's sync.
  for (const std::string& value : values) {
    if (std::ranges::find(waiting.old_values, value) == waiting.old_values.end()) {
      waiting.old_values.push_back(value);
    }
  }
  waiting.staged = false;
  waiting.value_file.clear();
  if (durability != Durability::commit) {
    pending_.set(id.path(), std::move(waiting));
    return {};
  }
  pending_.erase(id.path());
  if (const Result<> synced = files_.sync_directory(id.folder()); !synced) {
    return fail(synced.error());
  }
  for (const std::string& old : waiting.old_values) folder.discard(old);
  return {};
}

// --- Settling

Result<> Records::settle(const RecordId& id, const Stripes::Guard&) {
  STRATA_TRY(failed());
  const std::string path = id.path();
  std::optional<Pending::Entry> waiting = pending_.find(path);
  if (!waiting) return {};
  const LeafFolder folder = leaf(id);
  const auto make_durable = [&]() -> Result<> {
    if (waiting->staged) {
      STRATA_TRY(folder.sync_file(waiting->value_file));
      STRATA_TRY(folder.sync_file(with(id.name, kNextSuffix)));
      STRATA_TRY(files_.sync_directory(id.folder()));
      STRATA_TRY(
          files_.rename(folder.file(id.name, kNextSuffix), folder.file(id.name, kMetaSuffix)));
      waiting->staged = false;
      pending_.set(path, *waiting);  // from now on readers look at @meta.json
    }
    return sync_folders(*id.space, id.leaf);
  };
  if (const Result<> durable = make_durable(); !durable) return fail(durable.error());
  for (const std::string& old : waiting->old_values) {
    if (old != waiting->value_file) folder.discard(old);
  }
  pending_.erase(path);
  return {};
}

Result<> Records::settle_removed(std::span<const RecordId> removed, const Stripes::Guard&) {
  if (removed.empty()) return {};
  STRATA_TRY(failed());
  if (const Result<> synced = sync_folders(*removed.front().space, removed.front().leaf); !synced) {
    return fail(synced.error());
  }
  for (const RecordId& id : removed) {
    const std::string path = id.path();
    if (const std::optional<Pending::Entry> waiting = pending_.find(path)) {
      for (const std::string& old : waiting->old_values) leaf(id).discard(old);
    }
    pending_.erase(path);
  }
  return {};
}

Result<std::size_t> Records::settle(bool all, std::size_t max, Stripes& stripes) {
  const std::int64_t until_ms = all ? INT64_MAX : clock_.monotonic_ms();
  std::vector<RecordId> due = pending_.due(until_ms, max);
  if (due.empty() && pending_.size() > kPendingMax) due = pending_.due(INT64_MAX, max);
  for (const RecordId& id : due) {
    STRATA_TRY(settle(id, stripes.lock(top_of(id.leaf))));
  }
  return due.size();
}

Result<> Records::failed() const {
  const base::MutexLock lock(failure_mutex_);
  if (failure_) return *failure_;
  return {};
}

Error Records::fail(const Error& cause) {
  const base::MutexLock lock(failure_mutex_);
  if (!failure_) {
    failure_ = Error(Code::io,
                     fmt::format("file store {} takes no more writes until it is opened again, "
                                 "since making one durable failed",
                                 options_.root),
                     cause);
  }
  return *failure_;
}

}  // namespace strata::backends::file
