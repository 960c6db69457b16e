// The part of Writer that holds locks: no device, no allocation of memory in the usual case.
#include "backends/hybridlog/writer.h"

#include <fmt/format.h>

#include <memory>
#include <thread>
#include <utility>

#include "backends/hybridlog/write_plan.h"
#include "base/check.h"
#include "base/thread_lease.h"
#include "contract/check.h"

namespace strata::backends::hybridlog {

namespace {
constexpr int kRefusalsMax = 3;
}

Result<Commit> Writer::commit(const WriteBatch& batch) {
  const base::ThreadLease<Plan> plan;
  STRATA_TRY(make_plan(batch, *plan));
  return run(*plan, batch);
}

Result<Commit> Writer::run(Plan& plan, const WriteBatch& batch) {
  for (int tries = 0;; ++tries) {
    STRATA_TRY(read(plan));
    const std::int64_t now_ms = plan.needs_time ? parts_.time.wall_ms() : 0;
    if (const auto failed = failed_condition(batch, plan, now_ms)) {
      // Of several conditions the first that failed is named: those before it held at that moment.
      if (*failed > 0 && !still_as_read(plan)) continue;
      return Commit{{}, failed};
    }
    if (Result<> computed = compute(batch, plan, now_ms); !computed) {
      drop_extents(plan);
      return computed.error();
    }
    STRATA_LET(const std::optional<std::uint64_t> version, try_install(plan));
    if (version) return Commit{Version{*version}, {}};
    if (!plan.ranges.empty()) STRATA_TRY(make_plan(batch, plan));
    if (tries > 8) std::this_thread::yield();
  }
}

// Nothing: what was read has changed; begin anew.
Result<std::optional<std::uint64_t>> Writer::try_install(Plan& plan) {
  for (int refusals = 0;;) {
    std::uint64_t version = 0;
    const Outcome outcome = install(plan, version);
    if (outcome == Outcome::done) {
      after_install(plan, version);
      return std::optional(version);
    }
    if (outcome == Outcome::changed) {
      drop_extents(plan);
      return std::optional<std::uint64_t>();
    }
    // The log may give frames back to the indexes.
    if (outcome == Outcome::no_memory && refusals++ < kRefusalsMax) {
      parts_.log.wait_for_upkeep();
      continue;
    }
    const Result<> room =
        outcome == Outcome::no_room ? wait_for_room(plan) : Result<>(out_of_memory());
    if (!room) {
      drop_extents(plan);
      return room.error();
    }
  }
}

Result<> Writer::wait_for_room(const Plan& plan) {
  std::uint64_t bytes = 0;
  std::uint64_t largest = 0;
  for (std::size_t k = 0; k < plan.count; ++k) {
    bytes += plan.keys[k].record.bytes();
    largest = std::max<std::uint64_t>(largest, plan.keys[k].record.bytes());
  }
  if (bytes > parts_.budget.limit() / 4) {
    return Error(Code::quota,
                 fmt::format("hybridlog: a batch of {} bytes is too large for a memory budget of "
                             "{} bytes",
                             bytes, parts_.budget.limit()));
  }
  return parts_.log.wait_for_room(plan.count == 1 ? 1 : parts_.log.frames_for(bytes, largest));
}

Error Writer::out_of_memory() const {
  return Error(
      Code::quota,
      fmt::format("hybridlog: the indexes of {} keys take {} bytes, and `memory` allows "
                  "{} bytes for everything: no room for a new key",
                  parts_.index->entries(),
                  parts_.index->bytes() + (parts_.ordered == nullptr ? 0 : parts_.ordered->bytes()),
                  parts_.budget.limit()));
}

void Writer::drop_extents(Plan& plan) {
  for (std::size_t k = 0; k < plan.count; ++k) {
    if (plan.keys[k].extent) parts_.extents->release(*plan.keys[k].extent);
    plan.keys[k].extent.reset();
  }
}

bool Writer::lock_all(Plan& plan) {
  plan.locks.clear();
  plan.locks.reserve(plan.count);  // not when some are held
  plan.lock_of.resize(plan.count);
  for (const std::uint32_t k : plan.order) parts_.index->prefetch(plan.keys[k].key.hash());
  // Records are touched before their buckets are locked: that makes the hold short.
  const std::uint64_t in_memory = parts_.log.head();
  for (const std::uint32_t k : plan.order) {
    const LogAddress head = parts_.index->look(plan.keys[k].key.hash()).head;
    if (head && head.value >= in_memory) {
      const char* const at = parts_.log.at(head);
      __builtin_prefetch(at, 1);
      __builtin_prefetch(at + 64, 1);
    }
  }
  if (plan.count == 1) {
    const LogAddress head = parts_.index->look(plan.keys[0].key.hash()).head;
    if (head && head.value >= in_memory) static_cast<void>(load_word(parts_.log.at(head)));
  }
  for (std::size_t i = 0; i < plan.count; ++i) {
    const std::uint64_t hash = plan.keys[plan.order[i]].key.hash();
    if (plan.locks.empty() || !plan.locks.back().covers(hash)) {
      plan.locks.push_back(parts_.index->lock(hash));
    }
    plan.lock_of[i] = static_cast<std::uint32_t>(plan.locks.size() - 1);
  }
  for (std::size_t i = 0; i < plan.count; ++i) {
    Planned& planned = plan.keys[plan.order[i]];
    planned.old_head = plan.locks[plan.lock_of[i]].head(planned.key.hash());
    planned.found = walk(parts_, planned.old_head, planned.key, ~std::uint64_t{0});
    if (planned.reads && !still_newest(planned.before, planned.found)) return false;
    planned.lost.reset();
    if (const RecordHead& head = planned.found.head;
        planned.found.kind == Found::Kind::memory && head.is(kExtent) && !head.is(kTombstone)) {
      const char* const end =
          planned.found.at + kRecordHeadBytes + planned.key.image_bytes() + head.value_bytes();
      planned.lost = ExtentRef::decode({end - kExtentRefBytes, kExtentRefBytes});
    }
  }
  return true;
}

// Where each record goes: into its old place, or to room of its own.
bool Writer::make_rooms(Plan& plan, std::uint64_t pin) {
  using Becomes = Planned::Becomes;
  const std::uint64_t read_only = parts_.log.read_only();
  std::uint64_t bytes_needed = 0;
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < plan.count; ++i) {
    Planned& planned = plan.keys[plan.order[i]];
    planned.room = {};
    planned.overwrites = false;
    if (planned.becomes == Becomes::same) continue;
    const Found& found = planned.found;
    if (found.kind == Found::Kind::memory && found.address.value >= read_only &&
        pin < found.head.version() && !found.head.is(kExtent)) {
      const std::size_t there = found.head.value_bytes();
      const std::size_t bytes = record_bytes(planned.key.physical_bytes(), there);
      planned.overwrites =
          planned.becomes == Becomes::tombstone ||
          (!planned.extent && there <= kInPlaceBytesMax &&
           planned.record.area_bytes() <= kInPlaceBytesMax && planned.record.bytes() == bytes);
    }
    if (planned.overwrites) {
      planned.address = found.address;
    } else {
      bytes_needed += planned.record.bytes();
      largest = std::max<std::uint64_t>(largest, planned.record.bytes());
    }
  }
  // What is taken cannot be given back: a batch that finds room for a part of it would waste that.
  if (plan.count > 1 && !parts_.log.has_room(bytes_needed, largest)) return false;
  for (std::size_t i = 0; i < plan.count; ++i) {
    Planned& planned = plan.keys[plan.order[i]];
    if (planned.becomes == Becomes::same || planned.overwrites) continue;
    const std::optional<Log::Room> room = parts_.log.allocate(planned.record.bytes());
    if (!room) {
      for (std::size_t j = 0; j < i; ++j) {
        Planned& other = plan.keys[plan.order[j]];
        if (!other.room.address) continue;
        NewRecord dead = other.record;
        dead.flags |= kInvalid;
        write_record(other.room.at, dead, 0, {});
      }
      return false;
    }
    planned.room = *room;
    planned.address = room->address;
  }
  return true;
}

bool Writer::link_all(Plan& plan, std::uint64_t version, std::uint64_t pin) {
  using Becomes = Planned::Becomes;
  for (std::size_t i = 0; i < plan.count; ++i) {
    Planned& planned = plan.keys[plan.order[i]];
    if (planned.becomes == Becomes::same || planned.overwrites) continue;
    HashIndex::Lock& lock = plan.locks[plan.lock_of[i]];
    const std::uint64_t hash = planned.key.hash();
    LogAddress prev = lock.head(hash);
    // Nobody needs the record that this one replaces: the chain goes round it.
    if (planned.found.kind == Found::Kind::memory && planned.found.address == prev &&
        pin < planned.found.head.version()) {
      prev = planned.found.head.prev();
    }
    write_record(planned.room.at, planned.record, version, prev);
    if (lock.set(hash, planned.address)) continue;
    // No memory for an entry. Nothing was seen yet: every bucket is locked.
    for (std::size_t j = i + 1; j-- > 0;) {
      Planned& undone = plan.keys[plan.order[j]];
      if (undone.becomes == Becomes::same || undone.overwrites) continue;
      NewRecord dead = undone.record;
      dead.flags |= kInvalid;
      write_record(undone.room.at, dead, 0, {});
      if (j == i) continue;
      if (undone.old_head) {
        static_cast<void>(plan.locks[plan.lock_of[j]].set(undone.key.hash(), undone.old_head));
      } else {
        plan.locks[plan.lock_of[j]].erase(undone.key.hash());
      }
    }
    for (std::size_t j = i + 1; j < plan.count; ++j) {
      Planned& unlinked = plan.keys[plan.order[j]];
      if (!unlinked.room.address) continue;
      NewRecord dead = unlinked.record;
      dead.flags |= kInvalid;
      write_record(unlinked.room.at, dead, 0, {});
    }
    return false;
  }
  for (std::size_t i = 0; i < plan.count; ++i) {
    Planned& planned = plan.keys[plan.order[i]];
    if (!planned.overwrites) continue;
    const Found& found = planned.found;
    if (planned.becomes == Becomes::tombstone) {
      store_word(found.at, found.head.word0 | std::uint64_t{kTombstone} << 58);
      store_word(found.at + 8, (found.head.word1 & ~kVersionMask) | version);
    } else {
      overwrite_record(found.at, found.head, planned.record, version);
    }
  }
  return true;
}

bool Writer::has_all_of_ranges(Plan& plan) {
  if (parts_.ordered == nullptr) return true;  // the batch is alone
  for (Plan::KeyRange& range : plan.ranges) {
    Bytes from = range.begin;
    for (bool inclusive = true;; inclusive = false) {
      KeyBlock& keys = plan.block;
      keys.clear();
      parts_.ordered->collect({from, inclusive, false}, false, kRangeKeys, keys);
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i] >= BytesView(range.end)) break;
        if (!plan.has(keys[i], parts_.seed)) return false;
      }
      if (keys.size() < kRangeKeys || keys[kRangeKeys - 1] >= BytesView(range.end)) break;
      from = keys[kRangeKeys - 1];
    }
  }
  return true;
}

bool Writer::still_as_read(Plan& plan) {
  const Epoch::Guard guard(parts_.epoch);
  const Plan::Unlock unlock{plan};
  const bool same = lock_all(plan);
  for (HashIndex::Lock& lock : plan.locks) lock.untouched();
  return same;
}

Writer::Outcome Writer::install(Plan& plan, std::uint64_t& version) {
  using Becomes = Planned::Becomes;
  const Epoch::Guard guard(parts_.epoch);
  const Plan::Unlock unlock{plan};
  for (std::size_t k = 0; k < plan.count; ++k) plan.keys[k].inserted = false;
  const auto give_up = [&](Outcome outcome) {
    for (std::size_t k = 0; k < plan.count; ++k) {
      Planned& planned = plan.keys[k];
      if (std::exchange(planned.inserted, false)) parts_.ordered->erase(planned.physical);
    }
    for (HashIndex::Lock& lock : plan.locks) lock.untouched();
    return outcome;
  };
  if (!lock_all(plan)) return give_up(Outcome::changed);
  bool writes = false;
  for (std::size_t k = 0; k < plan.count; ++k) {
    Planned& planned = plan.keys[k];
    if (planned.becomes == Becomes::same) continue;
    writes = true;
    // A key is in the ordered index before its record can be seen. That of a tombstone may have
    // been forgotten, see forget().
    if (parts_.ordered == nullptr || planned.becomes != Becomes::record ||
        (planned.found.kind == Found::Kind::memory && !planned.found.head.is(kTombstone))) {
      continue;
    }
    const OrderedIndex::Insert inserted = parts_.ordered->insert(planned.physical);
    if (inserted == OrderedIndex::Insert::no_memory) return give_up(Outcome::no_memory);
    planned.inserted = inserted == OrderedIndex::Insert::inserted;
  }
  version = parts_.clock.now();
  if (!writes) return give_up(Outcome::done);
  for (std::size_t k = 0; k < plan.count; ++k) {
    const Found& found = plan.keys[k].found;
    if (found.kind == Found::Kind::memory && found.head.version() >= version) {
      version = parts_.clock.raise();
      break;
    }
  }
  // A key that is not in the ordered index yet will have this version or a later one.
  if (!has_all_of_ranges(plan)) return give_up(Outcome::changed);
  const std::uint64_t pin = parts_.clock.newest_pin_below(version);
  if (!make_rooms(plan, pin)) return give_up(Outcome::no_room);
  if (!link_all(plan, version, pin)) return give_up(Outcome::no_memory);
  for (std::size_t k = 0; k < plan.count; ++k) {
    if (plan.keys[k].becomes != Becomes::same) account(plan.keys[k]);
  }
  if (!parts_.dirty.load(std::memory_order_relaxed)) parts_.dirty.store(true);
  return Outcome::done;
}

// Whether the key had a record that is no tombstone. Under its bucket's lock.
bool Writer::was_there(const Planned& planned) {
  const std::uint64_t hash = planned.key.hash();
  if (planned.found.kind == Found::Kind::memory) {
    if (!planned.found.head.is(kTombstone)) return true;
    parts_.dead.remove(hash);
    return false;
  }
  if (planned.reads) {
    if (planned.before.there && !planned.before.tombstone) return true;
    parts_.dead.remove(hash);
    return false;
  }
  // Nothing was read: what the indexes know must do.
  const bool known =
      parts_.ordered != nullptr ? !planned.inserted : planned.found.kind == Found::Kind::cold;
  return known && !parts_.dead.remove(hash);
}

void Writer::account(Planned& planned) {
  const bool was = was_there(planned);
  const bool is = planned.becomes == Planned::Becomes::record;
  const Keyspace space = planned.key.ref().space;
  const auto bytes = static_cast<std::int64_t>(planned.record.bytes());
  std::int64_t before = was ? bytes : 0;
  if (was && planned.found.kind == Found::Kind::memory) {
    before = static_cast<std::int64_t>(
        record_bytes(planned.key.physical_bytes(), planned.found.head.value_bytes()));
  }
  if (is != was) parts_.counts.add(space, is ? 1 : -1);
  if (!is && was) parts_.dead.add(planned.key.hash());
  const std::int64_t change = (is ? bytes : 0) - before;
  if (change != 0) parts_.live_bytes.fetch_add(change, std::memory_order_relaxed);
}

void Writer::after_install(Plan& plan, std::uint64_t version) {
  for (std::size_t k = 0; k < plan.count; ++k) {
    Planned& planned = plan.keys[k];
    if (planned.becomes == Planned::Becomes::same) continue;
    planned.extent.reset();  // a record names it now
    if (planned.becomes == Planned::Becomes::record &&
        planned.attributes.expires_ms != kNeverExpires) {
      parts_.expiry.add(planned.attributes.expires_ms,
                        {planned.key.hash(), planned.address, planned.key.ref().space});
    }
    if (planned.lost) {
      parts_.let_go(*planned.lost, planned.found.head.version(), version);
    } else if (planned.reads && planned.before.extent &&
               planned.found.kind != Found::Kind::memory) {
      parts_.let_go(*planned.before.extent, planned.before.version, version);
    }
  }
}

Result<> Writer::check_put(const KeyRef& key, const Update& update) const {
  if (update.value.size() <= limits_.value_bytes_max &&
      update.attributes.extension.size() <= kExtensionBytesMax) {
    return {};
  }
  WriteBatch batch;
  batch.put_borrowed(key, update.value, update.attributes);
  return contract::check_limits(batch, limits_);
}

Result<Commit> Writer::update(const KeyRef& key, UpdateFunction function) {
  const base::ThreadLease<Plan> lease;
  Plan& plan = *lease;
  plan.count = 0;
  static_cast<void>(plan.add(key, parts_.seed));
  plan.conditions.clear();
  plan.ranges.clear();
  plan.order.assign(1, 0);
  plan.reads = true;
  for (int tries = 0;; ++tries) {
    Planned& planned = plan.keys[0];
    planned.reads = planned.reads_value = true;
    STRATA_TRY(read(plan));
    const bool there = is_alive(planned.before, parts_.time.wall_ms());
    Current current;
    if (there) {
      current.info = planned.before.info;
      current.value = planned.before.value.view();
    }
    Update update;
    STRATA_TRY(function(current, update));
    planned.becomes = Planned::Becomes::same;
    if (update.action == Update::Action::remove && there) {
      planned.becomes = Planned::Becomes::tombstone;
    } else if (update.action == Update::Action::put) {
      STRATA_TRY(check_put(key, update));
      planned.becomes = Planned::Becomes::record;
      planned.attributes = std::move(update.attributes);
      planned.own = std::move(update.value);
      planned.value = planned.own;
    }
    STRATA_TRY(settle(planned));
    STRATA_LET(const std::optional<std::uint64_t> version, try_install(plan));
    if (version) return Commit{Version{*version}, {}};
    if (tries > 8) std::this_thread::yield();
  }
}

Result<Writer::Expired> Writer::expire(BytesView physical_key, Room room) {
  const base::ThreadLease<Plan> lease;
  Plan& plan = *lease;
  plan.count = 0;
  plan.ranges.clear();
  plan.order.assign(1, 0);
  Planned& planned = plan.add({}, parts_.seed);
  planned.key = KeyView::of_physical(physical_key, parts_.seed);
  planned.reads = plan.reads = true;
  while (true) {
    STRATA_TRY(read(plan));
    const Newest& before = planned.before;
    if (!before.there || before.tombstone || is_alive(before, parts_.time.wall_ms())) {
      return Expired::not_expired;
    }
    planned.becomes = Planned::Becomes::tombstone;
    STRATA_TRY(settle(planned));
    if (room == Room::if_there) {
      std::uint64_t version = 0;
      const Outcome outcome = install(plan, version);
      if (outcome == Outcome::changed) continue;
      if (outcome != Outcome::done) return Expired::no_room;
      after_install(plan, version);
      return Expired::removed;
    }
    STRATA_LET(const std::optional<std::uint64_t> version, try_install(plan));
    if (version) return Expired::removed;
  }
}

// The copy has the record's own version, so that no snapshot sees a difference.
Writer::Move Writer::move_to_tail(const KeyView& key, LogAddress from, LogAddress head_seen,
                                  BytesView record, std::int64_t expires_ms) {
  const Epoch::Guard guard(parts_.epoch);
  HashIndex::Lock lock = parts_.index->lock(key.hash());
  const LogAddress head = lock.head(key.hash());
  if (head != head_seen) {
    lock.untouched();
    return Move::changed;
  }
  const std::optional<Log::Room> room = parts_.log.allocate(record.size());
  if (!room) {
    lock.untouched();
    return Move::no_room;
  }
  // In memory it may have been changed in place since its bytes were read.
  const bool in_memory = from.value >= parts_.log.head();
  if (in_memory) {
    load_words(room->at + 8, parts_.log.at(from) + 8, record.size() - 8);
  } else {
    std::memcpy(room->at + 8, record.data() + 8, record.size() - 8);
  }
  std::uint64_t word0 = 0;
  std::memcpy(&word0, record.data(), 8);
  if (in_memory) word0 = load_word(parts_.log.at(from));
  // Below the place that compaction has come to nothing of this chain is left that counts.
  const LogAddress prev = head == from ? LogAddress{} : head;
  store_word(room->at, (word0 & ~kAddressMask) | prev.value);
  if (!lock.set(key.hash(), room->address)) {
    store_word(room->at, (word0 & ~kAddressMask) | std::uint64_t{kInvalid} << 58);
    lock.untouched();
    return Move::no_memory;
  }
  lock.unlock();
  if (expires_ms != kNeverExpires)
    parts_.expiry.add(expires_ms, {key.hash(), room->address, key.ref().space});
  return Move::moved;
}

// The newest record of its key is a tombstone, and nobody needs to know that there was anything.
Writer::Move Writer::forget(const KeyView& key, LogAddress tombstone, LogAddress head_seen) {
  const codec::PhysicalKey physical(key.ref());  // may take memory: not under the lock
  const Epoch::Guard guard(parts_.epoch);
  HashIndex::Lock lock = parts_.index->lock(key.hash());
  const LogAddress head = lock.head(key.hash());
  if (head != head_seen) {
    lock.untouched();
    return Move::changed;
  }
  // In memory it may have come to life again in its place.
  if (tombstone.value >= parts_.log.head() && !load_head(parts_.log.at(tombstone)).is(kTombstone)) {
    lock.untouched();
    return Move::changed;
  }
  if (head == tombstone) lock.erase(key.hash());
  if (parts_.ordered != nullptr) parts_.ordered->erase(physical.view());
  parts_.dead.remove(key.hash());
  return Move::moved;
}

}  // namespace strata::backends::hybridlog
