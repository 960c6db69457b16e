#include "consistency/worker.h"

#include <algorithm>

#include "conformance/fixture.h"
#include "io/posix_file_system.h"

namespace strata::consistency {

namespace {

using conformance::ok;

constexpr std::int64_t kDayMs = 86'400'000;

/// Short and long names in one order.
Bytes key_of(const Bytes& prefix, std::uint64_t number) {
  const Bytes digits = std::to_string(1000 + number);
  return prefix + digits + Bytes(number % 17 == 0 ? 700 : 0, 'k');
}

}  // namespace

Worker::Worker(const conformance::Subject& subject, Keyspace space, base::SimClock& clock,
               int number, std::uint64_t seed)
    : subject_(subject),
      space_(space),
      clock_(clock),
      random_(base::mix64(seed) + static_cast<std::uint64_t>(number)),
      name_("worker" + std::to_string(number) + "/"),
      range_(Range::prefix(space, name_)) {
  for (std::uint64_t i = 0; i < kStableKeys; ++i) stable_.push_back(key_of(name_ + "stable", i));
  for (std::uint64_t i = 0; i < kKeys; ++i) keys_.push_back(key_of(name_ + "key", i));
}

template <class Operation>
Times Worker::timed(Operation operation) {
  const std::int64_t before_ms = clock_.wall_ms();
  operation();
  return {before_ms, clock_.wall_ms()};
}

/// Mostly short, rarely above every size at which an engine may change its ways.
Bytes Worker::any_value() {
  const std::uint64_t choice = random_.uniform(200);
  std::uint64_t most = 100;
  if (choice < 30) most = 4 * 1024;
  if (choice < 6) most = 64 * 1024;
  if (choice < 1) most = 300 * 1024;
  return random_.bytes(random_.uniform(most + 1));
}

/// Soon, at once, far away, or never.
std::int64_t Worker::any_expiry() {
  const std::int64_t now_ms = clock_.wall_ms();
  switch (random_.uniform(8)) {
    case 0:
      return kNeverExpires;
    case 1:
      return now_ms - 1;
    case 2:
      return now_ms + kDayMs;
    default:
      return now_ms + static_cast<std::int64_t>(random_.between(1, 4000));
  }
}

void Worker::prepare(Engine& engine) {
  for (const Bytes& key : stable_) {
    const Bytes value = any_value();
    ok(engine.put(at(key), value));
    reference_.put(key, value);
  }
}

void Worker::work(Engine& engine, int operations, const Team& team) {
  for (int i = 0; i < operations && !team.broken(); ++i) {
    if (random_.one_in(8)) clock_.advance_ms(static_cast<std::int64_t>(random_.uniform(100)));
    const std::uint64_t choice = random_.uniform(100);
    if (choice < 35) {
      write(engine);
    } else if (choice < 45) {
      write_batch(engine);
    } else if (choice < 53) {
      conditional(engine);
    } else if (choice < 61) {
      update(engine);
    } else if (choice < 85) {
      read(engine);
    } else if (choice < 89) {
      scan(engine);
    } else if (choice < 92) {
      cursor_scan(engine);
    } else if (choice < 96) {
      snapshot(engine);
    } else {
      upkeep(engine);
    }
  }
}

void Worker::add_effect(WriteBatch& batch, Reference& then) {
  constexpr std::size_t kPatchedMax = 400'000;
  const std::int64_t now_ms = clock_.wall_ms();
  const Bytes& key = random_.one_in(10) ? stable_[random_.uniform(stable_.size())] : any_key();
  const bool stable = key.starts_with(stable_[0].substr(0, name_.size() + 6));
  const Bytes* value = then.find(key);
  // What becomes of a record that may end this moment nobody knows: it is written anew.
  const bool sure = then.settled(key, now_ms) && (value == nullptr || value->size() < kPatchedMax);
  const std::uint64_t choice = random_.uniform(sure ? 12 : 6);
  if (choice < 4 || (stable && choice < 6)) {
    const Bytes written = any_value();
    RecordAttributes attributes;
    if (!stable && random_.one_in(3)) attributes.expires_ms = any_expiry();
    batch.put(at(key), written, attributes);
    then.put(key, written, attributes.expires_ms);
  } else if (choice < 6) {
    batch.remove(at(key));
    then.remove(key);
  } else if (choice < 9 || stable) {
    const std::uint64_t end = value == nullptr ? 0 : value->size();
    const std::uint64_t offset = random_.one_in(2) ? WriteBatch::kAtEnd : random_.uniform(end + 10);
    const std::uint64_t erase = random_.one_in(2) ? 0 : random_.uniform(20);
    const Bytes bytes = random_.bytes(random_.uniform(30));
    batch.patch(at(key), offset, erase, bytes);
    then.patch(key, offset, erase, bytes, now_ms);
  } else if (choice < 11) {
    const std::int64_t expires_ms = any_expiry();
    batch.expire(at(key), expires_ms);
    then.expire(key, expires_ms, now_ms);
  } else {
    const std::uint64_t begin = random_.uniform(kKeys);
    const std::uint64_t end = std::min(kKeys - 1, begin + random_.uniform(8));
    batch.delete_range(space_, keys_[begin], keys_[end]);
    then.remove_range(keys_[begin], keys_[end]);
  }
}

void Worker::write(Engine& engine) {
  WriteBatch batch;
  add_effect(batch, reference_);
  if (!ok(engine.commit(batch)).applied()) throw Violation("a write was refused");
}

void Worker::write_batch(Engine& engine) {
  if (!has(CapabilityId::atomic_batch)) return write(engine);
  WriteBatch batch;
  for (std::uint64_t i = random_.between(2, 6); i > 0; --i) add_effect(batch, reference_);
  if (!ok(engine.commit(batch)).applied()) throw Violation("a write was refused");
}

/// A write that applies only if the record is there, or only if it is not.
void Worker::conditional(Engine& engine) {
  const Bytes& key = any_key();
  const bool wanted = random_.one_in(2);
  const Bytes value = any_value();
  WriteBatch batch;
  if (wanted) {
    batch.require_present(at(key));
  } else {
    batch.require_absent(at(key));
  }
  batch.put(at(key), value);
  bool applied = false;
  const Times times = timed([&] { applied = ok(engine.commit(batch)).applied(); });
  const Presence presence = reference_.presence(key, times);
  if (presence != Presence::either && applied != (wanted == (presence == Presence::present))) {
    throw Violation("a condition was misjudged on " + brief(key));
  }
  if (applied) reference_.put(key, value);
}

void Worker::update(Engine& engine) {
  const Bytes& key = any_key();
  const Bytes more = any_value();
  const std::uint64_t choice = random_.uniform(6);
  View found;
  int runs = 0;
  const auto function = [&](const Current& current, Update& update) -> Result<> {
    if (++runs > kRunsMax) return Error(Code::conflict, "an update begins again for ever");
    found.clear();
    if (current.info) found.emplace(key, Stored{Bytes(current.value), current.info->version});
    if (choice == 0) return {};
    update.action = choice == 1 ? Update::Action::remove : Update::Action::put;
    if (choice != 1) update.value = Bytes(current.value.substr(0, 1000)) + more;
    return {};
  };
  const Times times = timed([&] { ok(engine.update(at(key), function)); });
  reference_.require(found, std::span(&key, 1), times, "update");
  if (choice == 1) reference_.remove(key);
  if (choice > 1) {
    reference_.put(key, (found.empty() ? Bytes{} : found[key].value.substr(0, 1000)) + more);
  }
}

void Worker::read(Engine& engine) {
  View found;
  std::vector<Bytes> asked;
  if (random_.one_in(2)) {
    asked.push_back(any_key());
    Value value;
    std::optional<RecordInfo> info;
    const Times times = timed([&] { info = ok(engine.get(at(asked[0]), value)); });
    if (info) found.emplace(asked[0], Stored{value.to_bytes(), info->version});
    reference_.require(found, asked, times, "get");
    return;
  }
  for (std::uint64_t i = random_.between(1, 12); i > 0; --i) asked.push_back(any_key());
  const Times times = timed([&] { found = read_at_once(engine, space_, asked, nullptr); });
  reference_.require(found, asked, times, "mget");
}

/// What of a view of everything is this worker's.
View Worker::own(const View& view) const {
  return {view.lower_bound(range_.begin), view.lower_bound(range_.end)};
}

void Worker::scan(Engine& engine) {
  auto* ordered = engine.as<Ordered>();
  if (ordered == nullptr) return cursor_scan(engine);
  ScanOptions options;
  options.reverse = random_.one_in(2);
  options.page_records = static_cast<std::uint32_t>(random_.between(1, 60));
  const bool all = random_.one_in(3);
  View found;
  const Times times =
      timed([&] { found = scanned(*ordered, all ? Range::all(space_) : range_, options); });
  reference_.require(own(found), times, options.reverse ? "reverse scan" : "scan");
}

void Worker::cursor_scan(Engine& engine) {
  View found;
  const auto count = static_cast<std::uint32_t>(random_.between(1, 60));
  const Times times =
      timed([&] { found = scanned_by_cursor(engine, Range::all(space_), nullptr, count); });
  reference_.require(own(found), times, "cursor scan");
}

/// Takes a snapshot, looks at one again, or lets one go after a last look.
void Worker::snapshot(Engine& engine) {
  if (!has(CapabilityId::snapshots)) return read(engine);
  if (held_.size() < 3 && random_.one_in(2)) {
    held_.push_back({ok(engine.as<Snapshots>()->snapshot()), reference_});
  } else if (!held_.empty()) {
    const std::size_t which = random_.uniform(held_.size());
    look_again(engine, held_[which]);
    if (random_.one_in(2)) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
  }
}

void Worker::look_again(Engine& engine, const Held& held) {
  const std::int64_t then_ms = held.snapshot->time_ms();
  std::vector<Bytes> asked = stable_;
  asked.insert(asked.end(), keys_.begin(), keys_.end());
  held.reference.require(view_at(engine, range_, asked, *held.snapshot), {then_ms, then_ms},
                         "a snapshot");
}

void Worker::release_snapshots(Engine& engine) {
  for (const Held& held : held_) look_again(engine, held);
  held_.clear();
}

void Worker::upkeep(Engine& engine) {
  if (has(CapabilityId::persistence) && random_.one_in(20)) {
    compact(engine);
  } else {
    ok(engine.maintain(static_cast<std::uint32_t>(random_.between(1, 200))));
  }
}

void Worker::check(Engine& engine) {
  std::vector<Bytes> asked = stable_;
  asked.insert(asked.end(), keys_.begin(), keys_.end());
  View found;
  Times times = timed([&] { found = read_at_once(engine, space_, asked, nullptr); });
  reference_.require(found, times, "mget");
  times = timed([&] { found = scanned_by_cursor(engine, range_, nullptr); });
  reference_.require(found, times, "cursor scan");
  auto* ordered = engine.as<Ordered>();
  if (ordered == nullptr) return;
  for (const bool reverse : {false, true}) {
    ScanOptions options;
    options.reverse = reverse;
    times = timed([&] { found = scanned(*ordered, range_, options); });
    reference_.require(found, times, reverse ? "reverse scan" : "scan");
  }
}

void Worker::check_checkpoint(Engine& engine) {
  if (!has(CapabilityId::persistence)) return;
  const io::TempFolder temp;
  const std::string folder = temp.path() + "/checkpoint";
  const std::string elsewhere = temp.path() + "/restored";
  std::filesystem::create_directory(elsewhere);
  ok(engine.as<Persistence>()->checkpoint(folder));
  const auto restored =
      ok(subject_.open({.files = io::posix(), .clock = clock_, .folder = elsewhere}));
  ok(restored->as<Persistence>()->restore(folder));
  try {
    check(*restored);
  } catch (const Violation& violation) {
    throw Violation(std::string("of a checkpoint: ") + violation.what());
  }
  ok(restored->check_invariants());
  ok(restored->close());
}

}  // namespace strata::consistency
