#include "model/runner.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

#include "base/clock.h"
#include "base/quote.h"
#include "conformance/liar.h"
#include "contract/patch.h"
#include "io/posix_file_system.h"
#include "io/temp_folder.h"
#include "strata/capabilities.h"

namespace strata::model {

namespace {

constexpr Keyspace kSpace{20};

/// Ends a run: the engine and the model differ, or the engine reports an error.
struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
T ok(Result<T> result) {
  if (!result) throw Difference("error: " + result.error().to_string());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

struct Entry {
  Bytes value;
  std::int64_t expires_ms = kNeverExpires;
  Version version;
};
using Model = std::map<Bytes, Entry>;

class Run {
 public:
  Run(const conformance::Subject& subject, std::string_view fault)
      : subject_(subject), fault_(fault) {
    open();
  }

  void step(const Operation& operation);
  void compare();

 private:
  void open() {
    engine_ = ok(subject_.open({.files = io::posix(), .clock = clock_, .folder = temp_.path()}));
    if (!fault_.empty()) engine_ = conformance::make_liar(std::move(engine_), fault_);
  }
  static KeyRef at(BytesView key) { return {kSpace, key}; }
  bool has(CapabilityId id) const { return subject_.has(id); }
  Entry* find(const Bytes& key) {
    const auto found = model_.find(key);
    return found == model_.end() ? nullptr : &found->second;
  }
  void forget_expired() {
    std::erase_if(model_, [&](const auto& entry) {
      const std::int64_t expires_ms = entry.second.expires_ms;
      return expires_ms != kNeverExpires && expires_ms <= clock_.wall_ms();
    });
  }
  void write(const Operation& operation);
  void batch(const Operation& operation);
  void patch(const Bytes& key, const contract::Patch& patch, Version version);
  void conditional(const Operation& operation);
  void update(const Operation& operation);
  void take_snapshot();
  void compare_view(const Model& model, const Snapshot* at, std::string_view what);
  void compare_scan(const Model& model, const Snapshot* at, bool reverse);
  Version commit(const WriteBatch& batch) {
    const Commit done = ok(engine_->commit(batch));
    if (!done.applied()) throw Difference("a batch without conditions was refused");
    if (done.version < last_) throw Difference("the version went back");
    last_ = done.version;
    return done.version;
  }

  struct Held {
    std::unique_ptr<Snapshot> snapshot;
    Model model;
  };

  const conformance::Subject& subject_;
  const std::string_view fault_;
  io::TempFolder temp_;
  base::SimClock clock_;
  std::unique_ptr<Engine> engine_;
  Model model_;
  Version last_;
  std::vector<Held> held_;
};

void Run::step(const Operation& operation) {
  switch (operation.kind) {
    case Kind::put_if_absent:
    case Kind::put_if_unchanged:
      conditional(operation);
      break;
    case Kind::batch:
      batch(operation);
      break;
    case Kind::update:
      update(operation);
      break;
    case Kind::take_snapshot:
      take_snapshot();
      break;
    case Kind::drop_snapshot:
      if (!held_.empty()) {
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(operation.number % held_.size()));
      }
      break;
    case Kind::advance:
      clock_.advance_ms(static_cast<std::int64_t>(operation.number));
      break;
    case Kind::maintain:
      ok(engine_->maintain(static_cast<std::uint32_t>(operation.number)));
      break;
    case Kind::reopen:
      ok(engine_->check_invariants());
      if (!subject_.keeps) break;
      held_.clear();
      ok(engine_->close());
      engine_.reset();
      open();
      break;
    default:
      write(operation);
  }
  forget_expired();
}

void Run::write(const Operation& operation) {
  const Bytes& key = operation.key;
  const std::int64_t soon_ms = clock_.wall_ms() + static_cast<std::int64_t>(operation.number);
  WriteBatch batch;
  switch (operation.kind) {
    case Kind::put:
      batch.put(at(key), operation.value);
      model_[key] = {operation.value, kNeverExpires, commit(batch)};
      break;
    case Kind::put_until: {
      RecordAttributes attributes;
      attributes.expires_ms = soon_ms;
      batch.put(at(key), operation.value, attributes);
      model_[key] = {operation.value, soon_ms, commit(batch)};
      break;
    }
    case Kind::append:
      batch.append(at(key), operation.value);
      patch(key, {WriteBatch::kAtEnd, 0, operation.value}, commit(batch));
      break;
    case Kind::patch:
      batch.patch(at(key), operation.number, operation.second, operation.value);
      patch(key, {operation.number, operation.second, operation.value}, commit(batch));
      break;
    case Kind::remove:
      batch.remove(at(key));
      commit(batch);
      model_.erase(key);
      break;
    case Kind::expire: {
      const std::int64_t expires_ms = operation.second == 0 ? kNeverExpires : soon_ms;
      batch.expire(at(key), expires_ms);
      const Version version = commit(batch);
      if (Entry* entry = find(key)) {
        entry->expires_ms = expires_ms;
        entry->version = version;
      }
      break;
    }
    default: {
      const Bytes end = operation.second == 0 ? Bytes() : operation.other;
      batch.delete_range(kSpace, key, end);
      commit(batch);
      std::erase_if(model_, [&](const auto& entry) {
        return entry.first >= key && (end.empty() || entry.first < end);
      });
    }
  }
}

void Run::patch(const Bytes& key, const contract::Patch& patch, Version version) {
  const Entry* entry = find(key);
  const Entry before = entry == nullptr ? Entry{} : *entry;
  model_[key] = {ok(contract::apply_patch(before.value, patch, kValueBytesMax)), before.expires_ms,
                 version};
}

void Run::batch(const Operation& operation) {
  if (!has(CapabilityId::atomic_batch)) return;
  WriteBatch batch;
  batch.put(at(operation.key), operation.value);
  batch.remove(at(operation.other));
  batch.append(at(operation.other), "x");
  batch.append(at(operation.key), "y");
  const Version version = commit(batch);
  model_[operation.key] = {operation.value, kNeverExpires, version};
  model_.erase(operation.other);
  patch(operation.other, {WriteBatch::kAtEnd, 0, "x"}, version);
  patch(operation.key, {WriteBatch::kAtEnd, 0, "y"}, version);
}

void Run::conditional(const Operation& operation) {
  const Entry* entry = find(operation.key);
  Version known = entry == nullptr ? Version{} : entry->version;
  if (operation.second == 0) ++known.value;
  const bool holds =
      operation.kind == Kind::put_if_absent ? entry == nullptr : operation.second != 0;
  WriteBatch batch;
  if (operation.kind == Kind::put_if_absent) {
    batch.require_absent(at(operation.key));
  } else {
    batch.require_unchanged(at(operation.key), known);
  }
  batch.put(at(operation.key), operation.value);
  const Commit done = ok(engine_->commit(batch));
  if (done.applied() != holds) throw Difference("a condition was judged wrongly");
  if (holds) model_[operation.key] = {operation.value, kNeverExpires, done.version};
}

void Run::update(const Operation& operation) {
  const Commit done =
      ok(engine_->update(at(operation.key), [&](const Current& current, Update& wanted) {
        wanted.action = current.value.size() > 20 ? Update::Action::remove : Update::Action::put;
        wanted.value = Bytes(current.value) + "u";
        return Result<>{};
      }));
  const Entry* entry = find(operation.key);
  const Bytes before = entry == nullptr ? Bytes() : entry->value;
  if (before.size() > 20) {
    model_.erase(operation.key);
  } else {
    model_[operation.key] = {before + "u", kNeverExpires, done.version};
  }
}

void Run::take_snapshot() {
  if (!has(CapabilityId::snapshots) || held_.size() >= 4) return;
  held_.push_back({ok(engine_->as<Snapshots>()->snapshot()), model_});
}

void Run::compare() {
  compare_view(model_, nullptr, "the present");
  const std::uint64_t counted = ok(engine_->count(kSpace));
  if (counted != model_.size()) {
    throw Difference("count() is " + std::to_string(counted) + ", not " +
                     std::to_string(model_.size()));
  }
  for (const Held& held : held_) compare_view(held.model, held.snapshot.get(), "a snapshot");
}

void Run::compare_view(const Model& model, const Snapshot* at_snapshot, std::string_view what) {
  Model found;
  Bytes cursor;
  ScanPage page;
  CursorOptions options;
  options.count = 3;
  options.keys_only = false;
  options.at = at_snapshot;
  do {
    ok(engine_->scan_some(kSpace, cursor, options, page));
    for (std::size_t i = 0; i < page.size(); ++i) {
      found[Bytes(page[i].key)] = {Bytes(page[i].value), page[i].info.expires_ms,
                                   page[i].info.version};
    }
  } while (!cursor.empty());
  if (found.size() != model.size()) {
    throw Difference(std::string(what) + " has " + std::to_string(found.size()) +
                     " records by cursor, not " + std::to_string(model.size()));
  }
  Value value;
  ReadOptions read_options;
  read_options.at = at_snapshot;
  for (const auto& [key, entry] : model) {
    const auto info = ok(engine_->get(at(key), value, read_options));
    const auto by_cursor = found.find(key);
    if (!info || value.view() != entry.value || info->expires_ms != entry.expires_ms ||
        info->version != entry.version || by_cursor == found.end() ||
        by_cursor->second.value != entry.value) {
      throw Difference(std::string(what) + " differs at key " + base::quote(key));
    }
  }
  if (!has(CapabilityId::ordered)) return;
  compare_scan(model, at_snapshot, false);
  compare_scan(model, at_snapshot, true);
}

void Run::compare_scan(const Model& model, const Snapshot* at_snapshot, bool reverse) {
  ScanOptions options;
  options.at = at_snapshot;
  options.reverse = reverse;
  options.page_records = 2;
  std::vector<Bytes> keys;
  ok(for_each(*engine_->as<Ordered>(), Range::all(kSpace), options, [&](const ScanEntry& entry) {
    keys.emplace_back(entry.key);
    return true;
  }));
  std::vector<Bytes> expected;
  for (const auto& [key, entry] : model) expected.push_back(key);
  if (reverse) std::ranges::reverse(expected);
  if (keys != expected) throw Difference(reverse ? "a reverse scan differs" : "a scan differs");
}

}  // namespace

std::optional<std::string> run(const conformance::Subject& subject, std::string_view fault,
                               const std::vector<Operation>& operations) {
  std::size_t done = 0;
  try {
    Run run(subject, fault);
    for (; done < operations.size(); ++done) {
      run.step(operations[done]);
      run.compare();
    }
  } catch (const Difference& difference) {
    std::ostringstream text;
    text << difference.what() << ", after operation " << done;
    return text.str();
  }
  return std::nullopt;
}

}  // namespace strata::model
