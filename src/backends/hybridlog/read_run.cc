#include "backends/hybridlog/read_run.h"

#include "base/check.h"

namespace strata::backends::hybridlog {

Result<> ReadRun::begin(const Sight* at) {
  if (at != nullptr) {
    sight_ = *at;
  } else {
    pin_ = parts_.clock.begin();
    if (!pin_) return Error(Code::busy, "hybridlog: too many snapshots are open");
    sight_ = {pin_->version, parts_.time.wall_ms()};
  }
  return {};
}

void ReadRun::add(Read& read) {
  Item& item = items_.emplace_back();
  item.read = &read;
  item.key = KeyView(read.key, parts_.seed);
}

Result<> ReadRun::look() {
  for (Item& item : items_) STRATA_TRY(start(item));
  return {};
}

Result<> ReadRun::start(Item& item) {
  const std::size_t value_at = kRecordHeadBytes + item.key.image_bytes();
  alignas(8) char copied[kInPlaceBytesMax + 16];
  bool nothing = false;
  {
    Epoch::Guard guard(parts_.epoch);
    while (true) {
      item.begin = parts_.log.begin();
      const HashIndex::Look look = parts_.index->look(item.key.hash());
      const Found found = walk(parts_, look.head, item.key, sight_.version);
      if (found.kind == Found::Kind::memory) {
        if (found.head.is(kTombstone)) {
          item.read->info.reset();
          item.read->value.clear();
          if (HashIndex::unchanged(look)) return {};
        } else if (found.head.value_bytes() > kInPlaceBytesMax) {
          const BytesView area(found.at + value_at, found.head.value_bytes());
          if (HashIndex::unchanged(look)) {
            STRATA_TRY(answer(item, found.head, area));
            break;
          }
        } else {
          const char* const area = copy_area(found, value_at, copied);
          if (HashIndex::unchanged(look)) {
            STRATA_TRY(answer(item, found.head, {area, found.head.value_bytes()}));
            break;
          }
        }
        continue;
      }
      if (!HashIndex::unchanged(look)) continue;
      item.next = found.address;
      nothing = found.kind == Found::Kind::nothing;
      break;
    }
  }
  if (item.extent) {
    extents_.push_back(&item);
    return {};
  }
  if (item.next) return follow(item);
  return nothing ? end_of_chain(item) : Result<>();
}

// The chain has nothing: what compaction put aside may.
Result<> ReadRun::end_of_chain(Item& item) {
  item.read->info.reset();
  item.read->value.clear();
  if (sight_.version >= parts_.clock.now()) return {};
  const std::optional<Bytes> old =
      parts_.old.find(codec::PhysicalKey(item.key.ref()).view(), sight_.version);
  if (!old) return {};
  STRATA_TRY(consider(item, *old));
  if (item.extent) extents_.push_back(&item);
  return {};
}

Result<> ReadRun::follow(Item& item) {
  while (item.next) {
    if (item.next.value < parts_.log.begin()) {
      item.next = {};
      // What was below may have been moved to the top since this look-up began.
      return parts_.log.begin() == item.begin ? end_of_chain(item) : start(item);
    }
    if (!parts_.cache->find(item.next, cached_)) {
      if (!item.fetch.aim(parts_.log, item.next,
                          parts_.record_bytes_hint.load(std::memory_order_relaxed))) {
        item.next = {};
        return start(item);
      }
      pending_.push_back(&item);
      return {};
    }
    STRATA_LET(const bool found, consider(item, cached_));
    if (found) {
      if (item.extent) extents_.push_back(&item);
      return {};
    }
  }
  return end_of_chain(item);
}

std::span<io::AsyncRead> ReadRun::requests() {
  requests_.clear();
  for (Item* const item : pending_) requests_.push_back(item->fetch.request());
  return requests_;
}

Result<bool> ReadRun::consider(Item& item, BytesView record) {
  const std::optional<RecordBounds> bounds = bounds_of(record);
  if (!bounds || bounds->bytes > record.size()) {
    return Error(Code::corruption, "hybridlog: a record's lengths contradict one another");
  }
  const RecordHead& head = bounds->head;
  const LogAddress here = item.next;
  const BytesView key = record.substr(bounds->key_at, bounds->key_bytes);
  if (head.version() > sight_.version || !item.key.is_physical(key) ||
      (here && parts_.is_void(here, head.version()))) {
    item.next = head.prev();
    return false;
  }
  item.next = {};
  if (head.is(kTombstone)) {
    item.read->info.reset();
    item.read->value.clear();
  } else {
    STRATA_TRY(answer(item, head, record.substr(bounds->value_at, head.value_bytes())));
  }
  return true;
}

Result<> ReadRun::answer(Item& item, const RecordHead& head, BytesView area) {
  ValueArea parsed;
  STRATA_TRY(parse_area(head, area, parsed));
  item.extent.reset();
  const std::int64_t expires_ms = parsed.info.expires_ms;
  if (expires_ms != kNeverExpires && expires_ms <= sight_.time_ms) {
    item.read->info.reset();
    item.read->value.clear();
    return {};
  }
  if (info_only_) {
    item.read->value.clear();
  } else if (parsed.extent) {
    item.extent = parsed.extent;
  } else {
    item.read->value.assign(parsed.value);
  }
  item.read->info = std::move(parsed.info);
  return {};
}

Result<> ReadRun::read_extents() {
  std::vector<Item*> items;
  items.swap(extents_);
  for (Item* const item : items) {
    Result<std::shared_ptr<const Bytes>> bytes = parts_.extents->read(*item->extent);
    if (bytes) {
      item->read->value.pin(**bytes, *bytes);
      item->extent.reset();
      continue;
    }
    if (item->again) return bytes.error();
    // The record may have been replaced since, and its extent gone with it.
    item->again = true;
    item->extent.reset();
    STRATA_TRY(start(*item));
  }
  return {};
}

Result<> ReadRun::take() {
  std::vector<Item*> items;
  items.swap(pending_);
  for (std::size_t i = 0; i < items.size(); ++i) {
    Item& item = *items[i];
    STRATA_LET(const bool whole, item.fetch.take(requests_[i]));
    if (!whole) {
      pending_.push_back(&item);
      continue;
    }
    const BytesView record = item.fetch.record();
    parts_.cache->put(item.next, record);
    STRATA_LET(const bool found, consider(item, record));
    if (!found) {
      STRATA_TRY(follow(item));
    } else if (item.extent) {
      extents_.push_back(&item);
    }
  }
  return {};
}

}  // namespace strata::backends::hybridlog
