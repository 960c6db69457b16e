// What must hold of a whole store while nobody writes: each room's own, and what one room says of
// another.
#include <fmt/format.h>

#include <map>
#include <set>

#include "backends/hybridlog/hybridlog_engine.h"
#include "base/quote.h"

namespace strata::backends::hybridlog {

namespace {

constexpr std::size_t kEntriesPerStep = 256;

Error broken(std::string what) { return Error(Code::corruption, "hybridlog: " + std::move(what)); }

/// Nobody writes and nothing is kept up meanwhile.
class Examination {
 public:
  Examination(Parts& parts, Reader& reader) : parts_(parts), reader_(reader) {}

  Result<> run() {
    parts_.index->check_invariants();
    if (parts_.ordered != nullptr) parts_.ordered->check_invariants();
    if (parts_.cache != nullptr) parts_.cache->check_invariants();
    STRATA_TRY(regions());
    STRATA_TRY(collect_keys());
    for (const Bytes& key : keys_) STRATA_TRY(examine(key));
    return counts();
  }

 private:
  Result<> regions() const {
    const Log& log = parts_.log;
    if (log.begin() <= log.tail() && log.head() <= log.read_only() &&
        log.read_only() <= log.tail() && log.flushed() <= log.tail()) {
      return {};
    }
    return broken(
        fmt::format("the log begins at {} and is read-only up to {}, in memory from {}, "
                    "flushed to {}, and ends at {}",
                    log.begin(), log.read_only(), log.head(), log.flushed(), log.tail()));
  }

  Result<> collect_keys() {
    std::uint64_t hash = 0;
    do {
      STRATA_LET(hash, reader_.visit_keys(hash, kEntriesPerStep,
                                          [&](BytesView physical) { keys_.emplace(physical); }));
    } while (hash != 0);
    return {};
  }

  Result<> examine(const Bytes& physical) {
    const KeyView key = KeyView::of_physical(physical, parts_.seed);
    Newest newest;
    STRATA_TRY(reader_.newest(key, true, newest));
    const auto error = [&](const char* what) {
      return broken("key " + base::quote(physical) + " " + what);
    };
    const bool is_dead = parts_.dead.contains(key.hash());
    if (!newest.there) return {};  // void, or left behind by compaction in a chain
    if (newest.version > parts_.clock.now()) return error("is newer than the clock");
    if (newest.tombstone) return is_dead ? Result<>() : error("was removed, and is not known dead");
    if (is_dead) return error("is there, and known dead");
    if (parts_.ordered != nullptr) {
      const Epoch::Guard guard(parts_.epoch);
      if (!parts_.ordered->contains(physical)) return error("is there, and not in order");
    }
    ++there_[key.ref().space];
    return {};
  }

  Result<> counts() const {
    // Without an order a new key may be taken for a cold one (docs/adr/0008-hybridlog.md).
    if (parts_.ordered == nullptr) return {};
    std::uint64_t all = 0;
    for (const auto& [space, count] : there_) {
      all += count;
      if (parts_.counts.count(space) == count) continue;
      return broken(fmt::format("keyspace {} has {} records and is counted as {}",
                                static_cast<std::uint32_t>(space), count,
                                parts_.counts.count(space)));
    }
    if (parts_.counts.count_all() == all) return {};
    return broken(
        fmt::format("there are {} records, counted as {}", all, parts_.counts.count_all()));
  }

  Parts& parts_;
  Reader& reader_;
  std::set<Bytes> keys_;
  std::map<Keyspace, std::uint64_t> there_;
};

}  // namespace

Result<> HybridlogEngine::check_invariants() {
  const Alone alone(*this);
  STRATA_TRY(check_open());
  upkeep_->stop();
  const Result<> found = Examination(*parts_, *reader_).run();
  if (options_.upkeep_thread && !read_only_) STRATA_TRY(upkeep_->start_thread());
  return found;
}

}  // namespace strata::backends::hybridlog
