// What goes through a FileEngine's folders: cursor scans, the first count, upkeep.
#include <algorithm>
#include <string>

#include "backends/file/file_engine.h"
#include "base/coding.h"

namespace strata::backends::file {

namespace {

/// Begins every cursor: 'f' and the version of the form. Behind it stand two bytes of the leaf
/// (big-endian) and the last name that was looked at in it.
constexpr BytesView kCursorMark("f\x01", 2);
/// A step that fetches values ends behind the one that reaches this.
constexpr std::uint64_t kStepBytesMax = 4ull * 1024 * 1024;
/// Folders that a step may find empty before it ends.
constexpr std::uint32_t kEmptyFoldersMax = 64;

struct Position {
  unsigned leaf = 0;
  std::string after;  ///< a name; empty: from the beginning of the leaf
};

std::optional<Position> parse_cursor(BytesView cursor) {
  if (cursor.empty()) return Position{};
  if (!cursor.starts_with(kCursorMark) || cursor.size() < kCursorMark.size() + 2) return {};
  const BytesView rest = cursor.substr(kCursorMark.size());
  const unsigned leaf = static_cast<unsigned>(static_cast<unsigned char>(rest[0])) << 8 |
                        static_cast<unsigned char>(rest[1]);
  const BytesView name = rest.substr(2);
  if (leaf >= kLeaves || (!name.empty() && !is_record_name(name))) return {};
  return Position{leaf, std::string(name)};
}

Bytes format_cursor(const Position& position) {
  Bytes cursor(kCursorMark);
  cursor.push_back(static_cast<char>(position.leaf >> 8));
  cursor.push_back(static_cast<char>(position.leaf & 0xFF));
  cursor += position.after;
  return cursor;
}

}  // namespace

/// One call of scan_some on its way.
class FileEngine::Walk {
 public:
  Walk(const CursorOptions& options, Position from, ScanPage& page)
      : options_(options),
        position_(std::move(from)),
        prefix_(name_prefix(options.prefix)),
        page_(page) {}

  /// Enough has been looked at; position() says where to go on.
  bool full() const {
    return looked_at_ >= std::max(options_.count, 1u) || page_.bytes() >= kStepBytesMax ||
           empty_folders_ >= kEmptyFoldersMax;
  }
  const Position& position() const { return position_; }
  bool wants_value() const { return !options_.keys_only; }
  bool may_match(const std::string& name) const { return name.starts_with(prefix_); }

  void enter(Leaf leaf) {
    if (leaf != position_.leaf) position_ = {leaf, {}};
    looked_at_before_ = looked_at_;
  }
  void leave() {
    if (looked_at_ == looked_at_before_) ++empty_folders_;
    position_ = {position_.leaf + 1, {}};
  }
  void looked_at(const std::string& name) {
    ++looked_at_;
    position_.after = name;
  }
  void add(const Sidecar& sidecar, BytesView value) {
    if (BytesView(sidecar.key).starts_with(options_.prefix)) {
      page_.add(sidecar.key, value, sidecar.info);
    }
  }

 private:
  const CursorOptions& options_;
  Position position_;
  const std::string prefix_;
  ScanPage& page_;
  std::uint32_t looked_at_ = 0;
  std::uint32_t looked_at_before_ = 0;
  std::uint32_t empty_folders_ = 0;
};

Result<> FileEngine::scan_some(Keyspace keyspace, Bytes& cursor, const CursorOptions& options,
                               ScanPage& page) {
  page.clear();
  STRATA_TRY(check_open());
  if (options.at != nullptr) {
    return Error(Code::not_supported, "the backend file has no snapshots to scan at");
  }
  std::optional<Position> from = parse_cursor(cursor);
  if (!from) {
    return Error(Code::invalid_argument, "file store: the cursor is not one of this engine");
  }
  Space* const space = find_space(keyspace);
  Walk walk(options, *std::move(from), page);
  std::vector<unsigned> tops;
  if (space != nullptr) {
    STRATA_LET(tops, records_.tops(*space));
  }
  for (const unsigned top : tops) {
    if (top < walk.position().leaf / kLeavesPerTop) continue;
    STRATA_LET(const std::vector<Leaf> leaves, records_.leaves(*space, top));
    for (const Leaf leaf : leaves) {
      if (leaf < walk.position().leaf) continue;
      walk.enter(leaf);
      STRATA_TRY(scan_leaf(*space, leaf, walk));
      if (walk.full()) {
        cursor = walk.position().leaf < kLeaves ? format_cursor(walk.position()) : Bytes{};
        return {};
      }
    }
  }
  cursor.clear();
  return {};
}

Result<> FileEngine::scan_leaf(Space& space, Leaf leaf, Walk& walk) {
  // Listed under the lock, since a listing may miss what is renamed meanwhile.
  STRATA_LET(const LeafFolder::Listing listing,
             records_.list(space, leaf, stripes_.lock(top_of(leaf))));
  Value value;
  for (auto it = listing.records.upper_bound(walk.position().after); it != listing.records.end();
       ++it) {
    const auto& [name, files] = *it;
    if (!files.meta && !files.next) continue;
    if (walk.full()) return {};
    walk.looked_at(name);
    if (!walk.may_match(name)) continue;
    const RecordId id{&space, leaf, name};
    STRATA_LET(const std::optional<Sidecar> found,
               records_.read(id, walk.wants_value() ? &value : nullptr, stripes_));
    if (found && !is_expired(found->info)) walk.add(*found, value.view());
  }
  walk.leave();
  return {};
}

// --- Counting

Result<std::uint64_t> FileEngine::count(Keyspace keyspace) {
  STRATA_TRY(check_open());
  Space* const space = find_space(keyspace);
  if (space == nullptr) return std::uint64_t{0};
  if (!space->census.complete()) STRATA_TRY(survey(*space, UINT64_MAX));
  return space->census.visible(clock_.wall_ms());
}

Result<bool> FileEngine::survey(Space& space, std::uint64_t records) {
  const base::MutexLock lock(space.survey_mutex);
  std::uint64_t looked_at = 0;
  while (space.surveyed < kLeaves && looked_at < records) {
    const unsigned top = space.surveyed / kLeavesPerTop;
    // Folders are made under this lock, so what is not there now was passed by rightly.
    const Stripes::Guard guard = stripes_.lock(top);
    STRATA_LET(const std::vector<Leaf> leaves, records_.leaves(space, top));
    const auto leaf =
        std::ranges::find_if(leaves, [from = space.surveyed](Leaf each) { return each >= from; });
    if (leaf == leaves.end()) {
      space.surveyed = (top + 1) * kLeavesPerTop;
    } else {
      space.census.skip_to(*leaf);
      STRATA_LET(const std::uint64_t seen, survey_leaf(space, *leaf, guard));
      looked_at += seen;
      space.surveyed = *leaf + 1u;
    }
    space.census.skip_to(space.surveyed);
    ++looked_at;
  }
  return space.surveyed == kLeaves;
}

Result<std::uint64_t> FileEngine::survey_leaf(Space& space, Leaf leaf,
                                              const Stripes::Guard& guard) {
  STRATA_LET(const LeafFolder::Listing listing, records_.list(space, leaf, guard));
  const bool counts = space.census.next_leaf() <= leaf;
  std::uint64_t orphans = listing.strangers;
  std::vector<std::pair<std::string, Census::Weight>> found;
  for (const auto& [name, files] : listing.records) {
    if (!files.meta && !files.next) {
      orphans += files.values.size();
      continue;
    }
    if (!counts) continue;
    STRATA_LET(const Records::Before record, records_.before({&space, leaf, name}, guard));
    if (record.damaged) damaged_.fetch_add(1, std::memory_order_relaxed);
    if (record.damaged) found.emplace_back(name, Census::Weight{});
    if (record.sidecar) found.emplace_back(name, weigh(*record.sidecar));
  }
  orphans_.fetch_add(orphans, std::memory_order_relaxed);
  space.census.add_leaf(leaf, found);
  return found.size();
}

// --- Upkeep

Result<Maintenance> FileEngine::maintain(std::uint32_t records) {
  STRATA_TRY(check_open());
  Maintenance done;
  if (options_.read_only) return done;
  STRATA_LET(const std::size_t settled, records_.settle(false, records, stripes_));
  done.more = settled == records;
  for (Space* space : all_spaces()) {
    STRATA_LET(const bool surveyed, survey(*space, records));
    STRATA_LET(const std::uint64_t expired, remove_expired(*space, records));
    done.expired += expired;
    done.more |= !surveyed || expired == records;
  }
  return done;
}

Result<std::uint64_t> FileEngine::remove_expired(Space& space, std::uint64_t records) {
  const std::vector<Census::Expiring> expired =
      space.census.expired(clock_.wall_ms(), static_cast<std::size_t>(records));
  for (const Census::Expiring& each : expired) {
    const Stripes::Guard guard = stripes_.lock(top_of(each.leaf));
    const RecordId id{&space, each.leaf, each.name};
    STRATA_LET(const Records::Before before, records_.before(id, guard));
    if (before.sidecar && before.sidecar->info.expires_ms == each.expires_ms) {
      STRATA_TRY(records_.remove(id, before, Durability::none, guard));
    } else {
      space.census.forget(each);
    }
  }
  return expired.size();
}

}  // namespace strata::backends::file
