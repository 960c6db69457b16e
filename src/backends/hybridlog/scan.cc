// Pages of records in key order, and cursors.
//
// A page of the present is read at a snapshot of its own, which is what makes it consistent.
// A cursor is kKeyMark, then the last key that was looked at; without an ordered index it is
// kHashMark, then the hash to go on with (8 bytes, big-endian).
#include <algorithm>
#include <ranges>

#include "backends/hybridlog/hybridlog_engine.h"
#include "backends/hybridlog/open_snapshot.h"
#include "base/coding.h"
#include "base/thread_lease.h"
#include "codec/physical_key.h"

namespace strata::backends::hybridlog {

namespace {

constexpr BytesView kKeyMark("k\x01", 2);
constexpr BytesView kHashMark("h\x01", 2);
constexpr std::uint64_t kStepBytesMax = 4ull * 1024 * 1024;
constexpr std::size_t kBlockKeys = 128;
constexpr std::size_t kKeptBytesMax = 4096;

/// Of keys in order, of which those inside a range come first.
template <class IsInside>
std::size_t first_outside(const KeyBlock& keys, IsInside is_inside) {
  if (keys.empty() || is_inside(keys[keys.size() - 1])) return keys.size();
  const auto numbers = std::views::iota(std::size_t{0}, keys.size());
  return *std::ranges::partition_point(numbers, [&](std::size_t i) { return is_inside(keys[i]); });
}

}  // namespace

/// Keys of the ordered index, block by block, and their records at one sight.
class HybridlogEngine::Pages {
 public:
  Pages(HybridlogEngine& engine, Keyspace space, const Sight& sight, bool keys_only)
      : engine_(engine), space_(space), sight_(sight), keys_only_(keys_only) {}
  ~Pages() {
    // The thread keeps what short values need, and nothing of others.
    for (Read& read : own_->reads) {
      if (read.value.size() > kKeptBytesMax) read.value = Value();
    }
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// Reads up to kBlockKeys keys at once and calls visit(key, read) for each, in order, until it
  /// says false.
  template <class Visit>
  Result<bool> read_block(Visit visit) {
    const KeyBlock& keys = own_->keys;
    if (own_->reads.size() < keys.size()) own_->reads.resize(keys.size());
    const std::span<Read> reads = std::span(own_->reads).first(keys.size());
    for (std::size_t i = 0; i < reads.size(); ++i) {
      reads[i].key = {space_, keys[i].substr(codec::kKeyspaceBytes)};
      reads[i].info.reset();
    }
    STRATA_TRY(engine_.reader_->mget(reads, &sight_, keys_only_));
    for (const Read& read : reads) {
      if (!visit(read.key.key, read)) return false;
    }
    return true;
  }
  KeyBlock& keys() noexcept { return own_->keys; }

 private:
  HybridlogEngine& engine_;
  const Keyspace space_;
  const Sight sight_;
  const bool keys_only_;
  struct Own {
    KeyBlock keys;
    std::vector<Read> reads;
  };
  const base::ThreadLease<Own> own_;
};

Result<> HybridlogEngine::scan(const Range& range, const ScanOptions& options, ScanPage& page) {
  page.clear();
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  STRATA_LET(const Sight* const given, sight_of(options.at));
  if (!range.end.empty() && range.end <= range.begin) return {};
  std::optional<VersionClock::Pin> pin;
  Sight sight;
  if (given != nullptr) {
    sight = *given;
  } else {
    pin = parts_->clock.begin();
    if (!pin) return Error(Code::quota, "hybridlog: too many snapshots are open");
    sight = {pin->version, clock_.wall_ms()};
  }
  const auto walk = [&]() -> Result<> {
    Bytes begin;
    codec::put_physical_key(begin, {range.space, range.begin});
    const Bytes end = codec::physical_end(range.space, range.end);
    Bytes from = options.reverse ? end : begin;
    bool inclusive = !options.reverse;
    Pages pages(*this, range.space, sight, options.keys_only);
    while (true) {
      KeyBlock& keys = pages.keys();
      keys.clear();
      const std::size_t wanted =
          std::min<std::size_t>(kBlockKeys, options.page_records - page.size() + 1);
      {
        const Epoch::Guard guard(parts_->epoch);
        parts_->ordered->collect({from, inclusive, false}, options.reverse, wanted, keys);
      }
      const bool last = keys.size() < wanted;
      const std::size_t inside = first_outside(keys, [&](BytesView key) {
        return options.reverse ? key >= BytesView(begin) : key < BytesView(end);
      });
      const bool ended = last || inside < keys.size();
      keys.truncate(inside);
      if (inside != 0) from = keys[inside - 1];
      inclusive = false;
      STRATA_LET(const bool all, pages.read_block([&](BytesView key, const Read& read) {
        if (!read.info) return true;
        if (page.size() >= options.page_records || page.bytes() >= options.page_bytes) {
          page.set_more(true);
          return false;
        }
        page.add(key, read.value.view(), *read.info);
        return true;
      }));
      if (!all || ended) return {};
    }
  };
  Result<> walked = walk();
  if (pin) parts_->clock.end(*pin);
  return walked;
}

Result<> HybridlogEngine::scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                                    ScanPage& page) {
  page.clear();
  const base::ReaderGate::Pass pass(gate_);
  STRATA_TRY(check_open());
  STRATA_LET(const Sight* const given, sight_of(options.at));
  const Sight sight = given != nullptr ? *given : Sight{~std::uint64_t{0}, clock_.wall_ms()};
  const BytesView mark = options_.ordered ? kKeyMark : kHashMark;
  const std::size_t bytes_max = options_.ordered ? kKeyBytesMax : 8;
  if (!cursor.empty() &&
      (!BytesView(cursor).starts_with(mark) || cursor.size() > mark.size() + bytes_max ||
       (!options_.ordered && cursor.size() != mark.size() + 8))) {
    return Error(Code::invalid_argument, "hybridlog: the cursor is not one of this engine");
  }
  return options_.ordered ? scan_ordered(space, cursor, options, sight, page)
                          : scan_hashes(space, cursor, options, sight, page);
}

Result<> HybridlogEngine::scan_ordered(Keyspace space, Bytes& cursor, const CursorOptions& options,
                                       const Sight& sight, ScanPage& page) {
  const Range range = Range::prefix(space, options.prefix);
  const Bytes end = codec::physical_end(space, range.end);
  Bytes from;
  bool inclusive = true;
  codec::put_physical_key(from, {space, range.begin});
  if (!cursor.empty()) {
    Bytes last;
    codec::put_physical_key(last, {space, BytesView(cursor).substr(kKeyMark.size())});
    if (last >= from) {
      from = std::move(last);
      inclusive = false;
    }
  }
  Pages pages(*this, space, sight, options.keys_only);
  std::uint64_t looked_at = 0;
  while (true) {
    KeyBlock& keys = pages.keys();
    keys.clear();
    const std::size_t wanted = std::min<std::size_t>(
        kBlockKeys, std::max<std::uint64_t>(
                        1, options.count - std::min<std::uint64_t>(looked_at, options.count)));
    {
      const Epoch::Guard guard(parts_->epoch);
      parts_->ordered->collect({from, inclusive, false}, false, wanted, keys);
    }
    const bool last = keys.size() < wanted;
    const std::size_t inside =
        first_outside(keys, [&](BytesView key) { return key < BytesView(end); });
    const bool ended = last || inside < keys.size();
    keys.truncate(inside);
    if (inside != 0) from = keys[inside - 1];
    inclusive = false;
    STRATA_TRY(pages.read_block([&](BytesView key, const Read& read) {
      if (read.info) page.add(key, read.value.view(), *read.info);
      return true;
    }));
    looked_at += inside;
    if (ended) {
      cursor.clear();
      return {};
    }
    if (looked_at >= options.count || page.bytes() >= kStepBytesMax) {
      cursor = kKeyMark;
      cursor += BytesView(from).substr(codec::kKeyspaceBytes);
      return {};
    }
  }
}

Result<> HybridlogEngine::scan_hashes(Keyspace space, Bytes& cursor, const CursorOptions& options,
                                      const Sight& sight, ScanPage& page) {
  std::uint64_t hash = 0;
  if (!cursor.empty()) {
    hash = 0;
    for (const char each : BytesView(cursor).substr(kHashMark.size())) {
      hash = hash << 8 | static_cast<unsigned char>(each);
    }
  }
  const bool present = sight.version == ~std::uint64_t{0};
  if (cursor.empty() && present && parts_->counts.count(space) == 0) return {};
  std::set<Bytes> found;
  STRATA_LET(hash, reader_->visit_keys(hash, options.count, [&](BytesView physical) {
    const BytesView key = physical.substr(codec::kKeyspaceBytes);
    const auto of = Keyspace{base::load_u32_be(physical.data())};
    if (of == space && key.starts_with(options.prefix)) found.emplace(key);
  }));
  std::vector<Read> reads(found.size());
  std::size_t i = 0;
  for (const Bytes& key : found) reads[i++].key = {space, key};
  STRATA_TRY(reader_->mget(reads, present ? nullptr : &sight, options.keys_only));
  for (const Read& read : reads) {
    if (read.info) page.add(read.key.key, read.value.view(), *read.info);
  }
  cursor.clear();
  if (hash == 0) return {};
  cursor = kHashMark;
  base::put_u64_be(cursor, hash);
  return {};
}

}  // namespace strata::backends::hybridlog
