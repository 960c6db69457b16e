#include "backends/hybridlog/reader.h"

#include <array>

#include "backends/hybridlog/read_run.h"
#include "base/check.h"

namespace strata::backends::hybridlog {

namespace {

constexpr std::size_t kGroup = 16;  // keys whose cache misses overlap, and those of the next
constexpr std::size_t kTogetherMax = 1024;  // keys that are read inside one guard
constexpr int kTries = 3;

/// What one look into memory came to.
enum class Seen : std::uint8_t {
  absent,
  present,
  torn,
  elsewhere,  ///< a device, an extent, or old versions may know
  damaged     ///< see Answer::error
};

/// Where an answer goes.
struct Answer {
  std::optional<RecordInfo>& info;
  Value& value;
  const bool info_only;
  std::optional<Error> error = std::nullopt;
};

/// Of a record with attributes or an extent.
[[gnu::noinline]] Seen see_attributes(const Parts& parts, char* at, RecordHead head,
                                      std::size_t value_at, const HashIndex::Look& look,
                                      Sight& sight, Answer& to) {
  const Found found{Found::Kind::memory, {}, at, head};
  alignas(8) char copied[kInPlaceBytesMax + 16];
  BytesView area(found.at + value_at, found.head.value_bytes());
  if (area.size() <= kInPlaceBytesMax) area = {copy_area(found, value_at, copied), area.size()};
  if (!HashIndex::unchanged(look)) return Seen::torn;
  ValueArea parsed;
  if (Result<> done = parse_area(found.head, area, parsed); !done) {
    to.error = std::move(done).error();
    return Seen::damaged;
  }
  const std::int64_t expires_ms = parsed.info.expires_ms;
  if (expires_ms != kNeverExpires && expires_ms <= sight.time(parts.time)) return Seen::absent;
  if (parsed.extent && !to.info_only) return Seen::elsewhere;
  if (!to.info_only) to.value.assign(parsed.value);
  to.info = std::move(parsed.info);
  return Seen::present;
}

/// Answers from memory alone.
[[gnu::always_inline]] inline Seen see(const Parts& parts, const KeyView& key,
                                       const HashIndex::Look& look, Sight& sight, Answer& to) {
  const Found found = walk(parts, look.head, key, sight.version);
  if (found.kind != Found::Kind::memory) {
    return found.kind == Found::Kind::cold ? Seen::elsewhere : Seen::absent;
  }
  if (found.head.is(kTombstone)) return Seen::absent;
  const std::size_t value_at = kRecordHeadBytes + key.image_bytes();
  const std::size_t area_bytes = found.head.value_bytes();
  if ((found.head.flags() & (kAttributes | kExtent)) != 0) [[unlikely]] {
    return see_attributes(parts, found.at, found.head, value_at, look, sight, to);
  }
  if (area_bytes > kInPlaceBytesMax) {
    if (!HashIndex::unchanged(look)) return Seen::torn;
    if (!to.info_only) to.value.assign({found.at + value_at, area_bytes});
  } else {
    if (!to.info_only) load_bytes(to.value.prepare(area_bytes), found.at + value_at, area_bytes);
    if (!HashIndex::unchanged(look)) return Seen::torn;
  }
  RecordInfo& info = to.info.emplace();
  info.version = Version{found.head.version()};
  info.value_bytes = area_bytes;
  return Seen::present;
}

/// False: more than memory has to be asked.
bool get_from_memory(const Parts& parts, const KeyView& key, Sight& sight, Value& value,
                     bool info_only, Result<std::optional<RecordInfo>>& to) {
  Answer answer{*to, value, info_only};
  while (true) {
    const HashIndex::Look look = parts.index->look(key.hash());
    switch (see(parts, key, look, sight, answer)) {
      [[likely]] case Seen::present:
        if (info_only) value.clear();
        return true;
      case Seen::damaged:
        to = *std::move(answer.error);
        return true;
      case Seen::elsewhere:
        return false;
      case Seen::torn:
        continue;
      case Seen::absent:
        if (!HashIndex::unchanged(look)) continue;
        if (!sight.of_present()) return false;
        value.clear();
        return true;
    }
  }
}

Result<> finish(Parts& parts, ReadRun& run) {
  while (run.wants_device() || run.wants_extents()) {
    if (run.wants_device()) {
      parts.queue->read_all(run.requests());
      STRATA_TRY(run.take());
    }
    if (run.wants_extents()) STRATA_TRY(run.read_extents());
  }
  return {};
}

/// Keys and looks of one batch; kept by its thread, so that a batch allocates nothing.
struct Scratch {
  std::vector<KeyView> keys;
  std::vector<HashIndex::Look> looks;
};

Scratch& own_scratch(std::size_t keys) {
  thread_local Scratch scratch;
  if (scratch.keys.size() < keys) {
    scratch.keys.resize(keys);
    scratch.looks.resize(keys);
  }
  return scratch;
}

/// Calls visit(i) for each of at most kTogetherMax reads, until it says false, with keys and looks
/// in `scratch`; buckets and records have been asked for one group before.
template <class Visit>
[[gnu::always_inline]] inline void visit_looks(Parts& parts, std::span<const Read> reads,
                                               Scratch& scratch, Visit visit) {
  const auto end_of = [&](std::size_t from) { return std::min(reads.size(), from + kGroup); };
  const auto ask_for_buckets = [&](std::size_t from) {
    for (std::size_t i = from; i < end_of(from); ++i) {
      scratch.keys[i] = KeyView(reads[i].key, parts.seed);
      parts.index->prefetch(scratch.keys[i].hash());
    }
  };
  const std::uint64_t in_memory = parts.log.head();
  const auto ask_for_records = [&](std::size_t from) {
    for (std::size_t i = from; i < end_of(from); ++i) {
      const HashIndex::Look look = parts.index->look(scratch.keys[i].hash());
      scratch.looks[i] = look;
      if (look.head.value >= in_memory && look.head) {
        const char* const at = parts.log.at(look.head);
        __builtin_prefetch(at);
        __builtin_prefetch(at + 64);
      }
    }
  };
  ask_for_buckets(0);
  for (std::size_t from = 0; from < reads.size(); from += kGroup) {
    ask_for_buckets(from + kGroup);
    ask_for_records(from);
    for (std::size_t i = from; i < end_of(from); ++i) {
      if (!visit(i)) return;
    }
  }
}

/// Each read for itself, at the run's sight: what memory does not answer is given to the run.
Result<> read_apart(Parts& parts, std::span<Read> reads, bool info_only, ReadRun& run) {
  Sight sight = run.sight();
  std::array<std::uint16_t, kTogetherMax> left;
  while (!reads.empty()) {
    const std::span<Read> some = reads.first(std::min(kTogetherMax, reads.size()));
    reads = reads.subspan(some.size());
    Scratch& scratch = own_scratch(some.size());
    std::size_t left_count = 0;
    {
      const Epoch::Guard guard(parts.epoch);
      visit_looks(parts, some, scratch, [&](std::size_t i) {
        Answer answer{some[i].info, some[i].value, info_only};
        if (see(parts, scratch.keys[i], scratch.looks[i], sight, answer) != Seen::present) {
          left[left_count++] = static_cast<std::uint16_t>(i);
        } else if (info_only) {
          some[i].value.clear();
        }
        return true;
      });
    }
    for (std::size_t i = 0; i < left_count; ++i) run.add(some[left[i]]);
  }
  return run.look();
}

/// All of at most kTogetherMax reads from memory and at one moment: true. False: not so.
Result<bool> read_together(Parts& parts, std::span<Read> reads, bool info_only) {
  Scratch& scratch = own_scratch(reads.size());
  Sight sight;
  std::optional<Error> error;
  bool all = true;
  const Epoch::Guard guard(parts.epoch);
  visit_looks(parts, reads, scratch, [&](std::size_t i) {
    Read& read = reads[i];
    Answer answer{read.info, read.value, info_only};
    const Seen seen = see(parts, scratch.keys[i], scratch.looks[i], sight, answer);
    if (seen == Seen::present) [[likely]] {
      if (info_only) read.value.clear();
      return true;
    }
    if (seen == Seen::absent) {
      read.info.reset();
      read.value.clear();
      return true;
    }
    error = std::move(answer.error);
    return all = false;
  });
  if (error) return *std::move(error);
  if (!all) return false;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    if (!HashIndex::unchanged(scratch.looks[i])) return false;
  }
  return true;
}

/// A batch that waits for its device, and goes on in the device's thread.
class Waiting final : public io::Completion {
 public:
  Waiting(Parts& parts, bool info_only, ReadCompletion& then)
      : run(parts, info_only), parts_(parts), then_(then) {}

  void go_on() noexcept {
    if (run.wants_device()) {
      parts_.queue->start(run.requests(), *this);
      return;
    }
    Result<> result = step();
    if (result && run.wants_device()) {
      parts_.queue->start(run.requests(), *this);
      return;
    }
    end(std::move(result));
  }
  void complete() noexcept override {
    Result<> result = run.take();
    if (!result) {
      end(std::move(result));
      return;
    }
    go_on();
  }

  ReadRun run;

 private:
  Result<> step() {
    while (run.wants_extents() && !run.wants_device()) STRATA_TRY(run.read_extents());
    return {};
  }
  void end(Result<> result) noexcept {
    ReadCompletion& then = then_;
    delete this;
    then.complete(std::move(result));
  }

  Parts& parts_;
  ReadCompletion& then_;
};

}  // namespace

bool Reader::get_from_memory(const KeyRef& key, Value& value, bool info_only,
                             Result<std::optional<RecordInfo>>& to) const {
  Sight sight;
  return hybridlog::get_from_memory(parts_, KeyView(key, parts_.seed), sight, value, info_only, to);
}

Result<std::optional<RecordInfo>> Reader::get(const KeyRef& key, Value& value, Sight sight,
                                              bool info_only) {
  const KeyView lookup(key, parts_.seed);
  Result<std::optional<RecordInfo>> result(std::in_place, std::nullopt);
  {
    const Epoch::Guard guard(parts_.epoch);
    if (hybridlog::get_from_memory(parts_, lookup, sight, value, info_only, result)) {
      return result;
    }
  }
  Read read;
  read.key = key;
  read.value.swap(value);
  sight.time(parts_.time);
  ReadRun run(parts_, info_only);
  Result<> done = run.begin(&sight);
  run.add(read);
  if (done) done = run.look();
  if (done) done = finish(parts_, run);
  read.value.swap(value);
  if (done) {
    *result = std::move(read.info);
  } else {
    result = done.error();
  }
  return result;
}

Result<> Reader::mget(std::span<Read> reads, const Sight* at, bool info_only) {
  if (reads.empty()) return {};
  if (at == nullptr && reads.size() == 1) {
    STRATA_LET(reads[0].info, get(reads[0].key, reads[0].value, {}, info_only));
    return {};
  }
  if (at == nullptr && reads.size() <= kTogetherMax) {
    for (int i = 0; i < kTries; ++i) {
      STRATA_LET(const bool done, read_together(parts_, reads, info_only));
      if (done) return {};
    }
  }
  ReadRun run(parts_, info_only);
  STRATA_TRY(run.begin(at));
  STRATA_TRY(read_apart(parts_, reads, info_only, run));
  return finish(parts_, run);
}

std::optional<Result<>> Reader::start_mget(std::span<Read> reads, const Sight* at, bool info_only,
                                           ReadCompletion& then) {
  if (reads.empty()) return Result<>();
  if (at == nullptr && reads.size() <= kTogetherMax) {
    Result<bool> done = read_together(parts_, reads, info_only);
    if (!done) return Result<>(done.error());
    if (*done) return Result<>();
  }
  auto waiting = std::make_unique<Waiting>(parts_, info_only, then);
  Result<> looked = waiting->run.begin(at);
  if (looked) looked = read_apart(parts_, reads, info_only, waiting->run);
  if (!looked) return looked;
  if (!waiting->run.wants_device()) {
    // Extents of a memory store are at hand; those of a device wait in this call.
    Result<> done = finish(parts_, waiting->run);
    return done;
  }
  waiting.release()->go_on();
  return std::nullopt;
}

Result<std::optional<Bytes>> Reader::cold_record(LogAddress address) {
  Bytes record;
  if (parts_.cache->find(address, record)) return std::optional<Bytes>(std::move(record));
  ColdFetch fetch;
  if (!fetch.aim(parts_.log, address, parts_.record_bytes_hint.load(std::memory_order_relaxed))) {
    return std::nullopt;
  }
  while (true) {
    io::AsyncRead read = fetch.request();
    parts_.queue->read_all({&read, 1});
    STRATA_LET(const bool whole, fetch.take(read));
    if (whole) break;
  }
  parts_.cache->put(address, fetch.record());
  return std::optional<Bytes>(fetch.record());
}

Result<std::uint64_t> Reader::visit_keys(std::uint64_t hash, std::size_t entries,
                                         FunctionRef<void(BytesView physical)> visit) {
  std::vector<LogAddress> cold;
  std::uint64_t next = 0;
  Bytes key;
  {
    const Epoch::Guard guard(parts_.epoch);
    next = parts_.index->visit_from(hash, entries, [&](LogAddress head) {
      const std::uint64_t begin = parts_.log.begin();
      const std::uint64_t in_memory = parts_.log.head();
      for (LogAddress at = head; at && at.value >= begin;) {
        if (at.value < in_memory) {
          cold.push_back(at);
          return;
        }
        const char* const record = parts_.log.at(at);
        copy_key(record, key);
        visit(key);
        at = load_head(record).prev();
      }
    });
  }
  for (LogAddress at : cold) {
    while (at) {
      STRATA_LET(const std::optional<Bytes> record, cold_record(at));
      // Compaction took it away meanwhile: what counts of the chain has gone to memory.
      if (!record) return hash;
      const std::optional<RecordBounds> bounds = bounds_of(*record);
      STRATA_CHECK(bounds.has_value());
      visit(BytesView(*record).substr(bounds->key_at, bounds->key_bytes));
      at = bounds->head.prev();
      if (at.value < parts_.log.begin()) break;
    }
  }
  return next;
}

Result<> Reader::newest(const KeyView& key, bool with_value, Newest& to) {
  const std::size_t value_at = kRecordHeadBytes + key.image_bytes();
  while (true) {
    to.there = to.tombstone = false;
    to.address = to.cold_from = {};
    to.extent.reset();
    std::uint64_t begin = 0;
    alignas(8) char copied[kInPlaceBytesMax + 16];
    Bytes held;      // where the area does not fit there
    BytesView area;  // in one of them
    RecordHead head;
    {
      const Epoch::Guard guard(parts_.epoch);
      begin = parts_.log.begin();
      const HashIndex::Look look = parts_.index->look(key.hash());
      const Found found = walk(parts_, look.head, key, ~std::uint64_t{0});
      if (found.kind == Found::Kind::memory) {
        const std::size_t bytes = found.head.value_bytes();
        if (bytes > kInPlaceBytesMax) {
          held.assign(found.at + value_at, bytes);
          area = held;
        } else {
          area = {copy_area(found, value_at, copied), bytes};
        }
        to.there = true;
        to.address = found.address;
        to.version = found.head.version();
        head = found.head;
      } else {
        to.cold_from = found.address;
      }
      if (!HashIndex::unchanged(look)) continue;
    }
    for (LogAddress next = to.cold_from; next && !to.there;) {
      if (next.value < parts_.log.begin()) {
        if (parts_.log.begin() == begin) break;
        to.cold_from = {};
        break;
      }
      STRATA_LET(const std::optional<Bytes> record, cold_record(next));
      if (!record) {
        begin = ~std::uint64_t{0};
        break;
      }
      const std::optional<RecordBounds> bounds = bounds_of(*record);
      STRATA_CHECK(bounds.has_value());
      if (key.is_physical(BytesView(*record).substr(bounds->key_at, bounds->key_bytes)) &&
          !parts_.is_void(next, bounds->head.version())) {
        to.there = true;
        to.version = bounds->head.version();
        head = bounds->head;
        held.assign(*record, bounds->value_at, head.value_bytes());
        area = held;
      }
      next = bounds->head.prev();
    }
    if (!to.there && parts_.log.begin() != begin) continue;  // what was below moved to the top
    if (!to.there) return {};
    to.tombstone = head.is(kTombstone);
    if (to.tombstone) return {};
    ValueArea parsed;
    STRATA_TRY(parse_area(head, area, parsed));
    to.extent = parsed.extent;
    if (with_value && parsed.extent) {
      Result<std::shared_ptr<const Bytes>> bytes = parts_.extents->read(*parsed.extent);
      if (!bytes) {
        Newest again;
        STRATA_TRY(newest(key, false, again));
        if (again.version == to.version) return bytes.error();
        continue;
      }
      to.value.pin(**bytes, *bytes);
    } else if (with_value) {
      to.value.assign(parsed.value);
    }
    to.info = std::move(parsed.info);
    return {};
  }
}

}  // namespace strata::backends::hybridlog
