#include "consistency/recorder.h"

#include <algorithm>

#include "conformance/fixture.h"

namespace strata::consistency {

namespace {

using conformance::ok;

std::optional<Stored> stored(const std::optional<RecordInfo>& info, BytesView value) {
  if (!info) return std::nullopt;
  return Stored{Bytes(value), info->version};
}

void fill(const Group& group, const Call& call, WriteBatch& batch) {
  const Keyspace space = group.range.space;
  for (const CallCondition& condition : call.conditions) {
    const KeyRef key{space, group.keys[condition.key]};
    if (condition.kind == ConditionKind::absent) batch.require_absent(key);
    if (condition.kind == ConditionKind::present) batch.require_present(key);
    if (condition.kind == ConditionKind::unchanged) batch.require_unchanged(key, condition.version);
  }
  for (const CallEffect& effect : call.effects) {
    const KeyRef key{space, group.keys[effect.key]};
    if (effect.kind == EffectKind::put) batch.put(key, effect.value);
    if (effect.kind == EffectKind::patch) batch.append(key, effect.value);
    if (effect.kind == EffectKind::remove) batch.remove(key);
    if (effect.kind == EffectKind::delete_range) {
      batch.delete_range(space, group.range.begin, group.range.end);
    }
  }
}

std::vector<std::size_t> all_keys(const Group& group) {
  std::vector<std::size_t> keys(group.keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i;
  return keys;
}

std::vector<Read> reads_of(const Group& group, const Call& call) {
  std::vector<Read> reads(call.seen.size());
  for (std::size_t i = 0; i < reads.size(); ++i) {
    reads[i].key = {group.range.space, group.keys[call.seen[i].key]};
  }
  return reads;
}

Call call_seeing(std::string_view name, const std::vector<std::size_t>& keys) {
  Call call;
  call.name = name;
  for (const std::size_t key : keys) call.seen.push_back({key, std::nullopt});
  return call;
}

}  // namespace

Recorder::Recorder(Engine& engine, const conformance::Subject& subject, Keyspace space,
                   std::size_t groups)
    : engine_(engine), subject_(subject), space_(space) {
  for (std::size_t i = 0; i < groups; ++i) {
    const Bytes prefix = "group" + std::to_string(i) + "/";
    Group group{Range::prefix(space, prefix), {prefix + "a"}};
    if (subject.has(CapabilityId::atomic_batch)) {
      group.keys.push_back(prefix + "b");
      group.keys.push_back(prefix + "c");
    }
    states_.emplace_back(group.keys.size());
    groups_.push_back(std::move(group));
  }
}

std::vector<History> Recorder::round(base::Random& random) {
  std::vector<Worker> workers;
  for (int i = 0; i < kThreads; ++i) {
    Worker worker{i, random.split(), {}, std::vector<std::vector<Call>>(groups_.size())};
    for (const State& state : states_) {
      std::vector<Version>& known = worker.known.emplace_back();
      for (const Register& key : state) known.push_back(key.now ? key.now->version : Version{});
    }
    workers.push_back(std::move(worker));
  }
  Team team;
  team.run(kThreads, [&](int thread) {
    Worker& worker = workers[static_cast<std::size_t>(thread)];
    for (int i = 0; i < kCallsPerThread && !team.broken(); ++i) {
      call(worker, worker.random.uniform(groups_.size()));
      if (worker.random.one_in(4)) std::this_thread::yield();
    }
  });
  if (team.broken()) throw Violation("a thread failed");

  std::vector<History> histories;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    History& history = histories.emplace_back(History{states_[group], {}});
    for (Worker& worker : workers)
      std::ranges::move(worker.calls[group], std::back_inserter(history.calls));
    history.calls.push_back(read(groups_[group], all_keys(groups_[group])));
    history.calls.back().thread = kThreads;
    for (const Observation& one : history.calls.back().seen) {
      // What removed a key is not known here; the next write of it still has to be later than the
      // last record that was seen.
      Register& key = states_[group][one.key];
      if (one.seen) key.changed = one.seen->version;
      key.now = one.seen;
    }
  }
  return histories;
}

void Recorder::call(Worker& worker, std::size_t number) {
  const Group& group = groups_[number];
  Call call;
  switch (worker.random.uniform(10)) {
    case 0:
      call = read(group, {any_key(worker, number)});
      break;
    case 1:
      call = read(group, some_keys(worker, number));
      break;
    case 2:
      call = subject_.has(CapabilityId::snapshots) ? read_snapshot(group)
                                                   : read(group, all_keys(group));
      break;
    case 3:
      call = subject_.has(CapabilityId::ordered) ? read_page(group, worker.random.one_in(2))
                                                 : read(group, all_keys(group));
      break;
    case 4:
    case 5:
      call = write(worker, number);
      break;
    case 6:
    case 7:
      call = conditional(worker, number);
      break;
    case 8:
      call = update(worker, number);
      break;
    default:
      call = subject_.has(CapabilityId::transactions) ? transaction(worker, number)
                                                      : update(worker, number);
      break;
  }
  call.thread = worker.number;
  for (const Observation& one : call.seen) {
    worker.known[number][one.key] = one.seen ? one.seen->version : Version{};
  }
  worker.calls[number].push_back(std::move(call));
}

std::size_t Recorder::any_key(Worker& worker, std::size_t group) const {
  return worker.random.uniform(groups_[group].keys.size());
}

/// Some keys of the group, in any order; one may come twice. (But not the only one of an engine
/// without atomic batches, whose reads of many need not be in one view.)
std::vector<std::size_t> Recorder::some_keys(Worker& worker, std::size_t group) const {
  std::vector<std::size_t> keys = all_keys(groups_[group]);
  if (keys.size() > 1 && worker.random.one_in(4)) keys.push_back(any_key(worker, group));
  std::ranges::shuffle(keys, worker.random);
  keys.resize(worker.random.between(std::min<std::size_t>(2, keys.size()), keys.size()));
  return keys;
}

/// No two writes write the same, so that a read tells which write it saw.
Bytes Recorder::any_value(Worker& worker) {
  Bytes value = std::to_string(next_value_.fetch_add(1, std::memory_order_relaxed)) + ";";
  if (worker.random.one_in(10)) value.append(worker.random.uniform(5000), 'm');
  if (worker.random.one_in(100)) value.append(70000, 'x');
  return value;
}

Call Recorder::read(const Group& group, std::vector<std::size_t> keys) {
  Call call = call_seeing("read", keys);
  begin(call);
  observe(group, call, {});
  end(call);
  return call;
}

void Recorder::observe(const Group& group, Call& call, const ReadOptions& options) {
  if (call.seen.size() == 1) {
    Value value;
    const KeyRef key{space_, group.keys[call.seen[0].key]};
    const auto info = ok(engine_.get(key, value, options));
    call.seen[0].seen = stored(info, value.view());
    return;
  }
  std::vector<Read> reads = reads_of(group, call);
  ok(engine_.mget(reads, options));
  for (std::size_t i = 0; i < reads.size(); ++i) {
    call.seen[i].seen = stored(reads[i].info, reads[i].value.view());
  }
}

/// A snapshot is taken at one moment of snapshot(), however late it is read.
Call Recorder::read_snapshot(const Group& group) {
  Call call = call_seeing("snapshot", all_keys(group));
  begin(call);
  const auto snapshot = ok(engine_.as<Snapshots>()->snapshot());
  end(call);
  std::this_thread::yield();
  ReadOptions options;
  options.at = snapshot.get();
  observe(group, call, options);
  return call;
}

/// A page is consistent in itself.
Call Recorder::read_page(const Group& group, bool reverse) {
  Call call = call_seeing(reverse ? "page in reverse" : "page", all_keys(group));
  ScanOptions options;
  options.reverse = reverse;
  options.page_bytes = 16 * 1024 * 1024;
  ScanPage page;
  begin(call);
  ok(engine_.as<Ordered>()->scan(group.range, options, page));
  end(call);
  for (std::size_t i = 0; i < page.size(); ++i) {
    const auto found = std::ranges::find(group.keys, page[i].key);
    if (found == group.keys.end()) throw Violation("a scan gave a key that nobody wrote");
    call.seen[static_cast<std::size_t>(found - group.keys.begin())].seen =
        Stored{Bytes(page[i].value), page[i].info.version};
  }
  return call;
}

void Recorder::add_effect(Worker& worker, Call& call, std::size_t key) {
  constexpr EffectKind kKinds[] = {EffectKind::put, EffectKind::put, EffectKind::patch,
                                   EffectKind::remove};
  const EffectKind kind = kKinds[worker.random.uniform(std::size(kKinds))];
  call.effects.push_back({kind, key, kind == EffectKind::remove ? Bytes{} : any_value(worker)});
}

void Recorder::commit(const Group& group, Call& call) {
  WriteBatch batch;
  fill(group, call, batch);
  begin(call);
  const Commit done = ok(engine_.commit(batch));
  end(call);
  call.failed = done.failed;
  call.version = done.version;
}

/// A write of one key, of several, or the end of all.
Call Recorder::write(Worker& worker, std::size_t group) {
  Call call;
  call.name = "write";
  if (worker.random.one_in(8)) {
    call.effects.push_back({EffectKind::delete_range, 0, {}});
  } else if (worker.random.one_in(2) || !subject_.has(CapabilityId::atomic_batch)) {
    add_effect(worker, call, any_key(worker, group));
  } else {
    for (const std::size_t key : some_keys(worker, group)) add_effect(worker, call, key);
  }
  commit(groups_[group], call);
  return call;
}

Call Recorder::conditional(Worker& worker, std::size_t group) {
  Call call;
  call.name = "commit";
  const auto require = [&](std::size_t key) {
    constexpr ConditionKind kKinds[] = {ConditionKind::absent, ConditionKind::present,
                                        ConditionKind::unchanged, ConditionKind::unchanged};
    call.conditions.push_back(
        {kKinds[worker.random.uniform(std::size(kKinds))], key, worker.known[group][key]});
  };
  if (worker.random.one_in(2) || !subject_.has(CapabilityId::atomic_batch)) {
    require(any_key(worker, group));
    add_effect(worker, call, call.conditions.back().key);
  } else {
    for (const std::size_t key : some_keys(worker, group)) {
      if (worker.random.one_in(2)) require(key);
      add_effect(worker, call, key);
    }
  }
  commit(groups_[group], call);
  // Not only failures: what was written is known from now on.
  for (const CallEffect& effect : call.effects) {
    if (!call.failed) worker.known[group][effect.key] = call.version;
  }
  return call;
}

/// A counter step: what was there, and one byte more; sometimes its end, or a look only.
Call Recorder::update(Worker& worker, std::size_t group) {
  const std::size_t key = any_key(worker, group);
  Call call = call_seeing("update", {key});
  const std::uint64_t choice = worker.random.uniform(8);
  const Bytes more = any_value(worker);
  int runs = 0;
  const auto function = [&](const Current& current, Update& update) -> Result<> {
    if (++runs > kRunsMax) return Error(Code::conflict, "an update begins again for ever");
    call.seen[0].seen = stored(current.info, current.value);  // the last run is what counts
    call.effects.clear();
    if (choice == 0) return {};
    if (choice == 1) {
      update.action = Update::Action::remove;
      call.effects.push_back({EffectKind::remove, key, {}});
      return {};
    }
    if (choice < 5) std::this_thread::yield();
    update.action = Update::Action::put;
    update.value = Bytes(current.value.substr(0, 200)) + more;
    call.effects.push_back({EffectKind::put, key, update.value});
    return {};
  };
  begin(call);
  const Commit done = ok(engine_.update({space_, groups_[group].keys[key]}, function));
  end(call);
  call.failed = done.failed;
  call.version = done.version;
  return call;
}

/// Reads some keys and writes some. One that is refused has only read, when it began.
Call Recorder::transaction(Worker& worker, std::size_t group) {
  Call call = call_seeing("transaction", some_keys(worker, group));
  TransactionOptions options;
  options.isolation = Isolation::serializable;
  begin(call);
  const auto transaction = ok(engine_.as<Transactions>()->begin(options));
  end(call);
  std::vector<Read> reads = reads_of(groups_[group], call);
  ok(transaction->mget(reads));
  for (std::size_t i = 0; i < reads.size(); ++i) {
    call.seen[i].seen = stored(reads[i].info, reads[i].value.view());
  }
  Call written = call;
  for (const std::size_t key : some_keys(worker, group)) add_effect(worker, written, key);
  fill(groups_[group], written, transaction->writes());
  const Result<Commit> done = transaction->commit();
  if (!done && done.error().code() == Code::conflict) return call;
  written.version = ok(done).version;
  end(written);
  return written;
}

}  // namespace strata::consistency
