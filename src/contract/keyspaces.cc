// The directory record and its changes; emptying of dropped keyspaces in bounded steps.
#include "contract/keyspaces.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/quote.h"
#include "strata/capabilities.h"

namespace strata {

namespace {

constexpr BytesView kMagic = "SKSP";
constexpr std::uint16_t kFormat = 1;
constexpr std::uint32_t kFirst = static_cast<std::uint32_t>(kFirstUserKeyspace);
constexpr KeyRef kKey{kSystemKeyspace, "keyspaces"};

Error damaged(std::string_view what) {
  return {Code::corruption, "the record of keyspace names is damaged: " + std::string(what)};
}

Result<> check_name(std::string_view name) {
  if (!name.empty() && name.size() <= Keyspaces::kNameBytesMax) return {};
  return Error(Code::invalid_argument, "the keyspace name " + base::quote(name) + " has " +
                                           std::to_string(name.size()) + " bytes, not 1 to " +
                                           std::to_string(Keyspaces::kNameBytesMax));
}

}  // namespace

class Keyspaces::Directory {
 public:
  /// Of an absent record: the empty directory.
  static Result<Directory> decode(const Current& current) {
    Directory directory;
    if (!current.info) return directory;
    BytesView bytes = current.value;
    if (bytes.size() < kMagic.size() + 2 + 4 || !bytes.starts_with(kMagic)) {
      return damaged("it does not begin as it must");
    }
    const std::uint16_t format = base::load_u16_le(bytes.data() + kMagic.size());
    if (format > kFormat) {
      return Error(Code::not_supported, "the record of keyspace names has format " +
                                            std::to_string(format) + ", this version reads 1");
    }
    const std::uint32_t crc = base::load_u32_le(bytes.data() + bytes.size() - 4);
    bytes.remove_suffix(4);
    if (base::crc32c(bytes) != crc) return damaged("its checksum differs");
    if (format != kFormat) return damaged("its format is 0");
    base::Reader reader(bytes.substr(kMagic.size() + 2));
    STRATA_TRY(directory.decode_fields(reader));
    return directory;
  }

  Bytes encode() const {
    Bytes bytes(kMagic);
    base::put_u16_le(bytes, kFormat);
    base::put_u16_le(bytes, 0);
    base::put_u32_le(bytes, next_);
    base::put_varint(bytes, names_.size());
    for (const auto& [name, number] : names_) {
      base::put_sized(bytes, name);
      base::put_varint(bytes, number);
    }
    base::put_varint(bytes, dropped_.size());
    for (const std::uint32_t number : dropped_) base::put_varint(bytes, number);
    base::put_u32_le(bytes, base::crc32c(bytes));
    return bytes;
  }

  std::optional<Keyspace> find(std::string_view name) const {
    const auto found = names_.find(name);
    if (found == names_.end()) return std::nullopt;
    return Keyspace{found->second};
  }
  /// The number of `name`, given now if it has none.
  Result<Keyspace> make(std::string_view name) {
    if (const auto found = find(name)) return *found;
    if (names_.size() == kCountMax) return full("names of keyspaces");
    STRATA_LET(const std::uint32_t number, take());
    names_.emplace(name, number);
    return Keyspace{number};
  }
  Result<> renew(std::string_view name) {
    const auto found = names_.find(name);
    if (found == names_.end()) {
      STRATA_TRY(make(name));
      return {};
    }
    if (dropped_.size() == kCountMax) return full("dropped keyspaces that are not yet emptied");
    STRATA_LET(const std::uint32_t number, take());
    dropped_.push_back(found->second);
    found->second = number;
    return {};
  }
  void swap(std::string_view one, std::string_view other) {
    std::swap(names_.find(one)->second, names_.find(other)->second);
  }
  bool forget(Keyspace space) {
    return std::erase(dropped_, static_cast<std::uint32_t>(space)) != 0;
  }

  const std::map<std::string, std::uint32_t, std::less<>>& names() const { return names_; }
  const std::vector<std::uint32_t>& dropped() const { return dropped_; }

 private:
  static Error full(std::string_view what) {
    return {Code::quota,
            "a store has at most " + std::to_string(kCountMax) + " " + std::string(what)};
  }

  Result<> decode_fields(base::Reader& reader) {
    const std::uint16_t reserved = reader.u16_le();
    next_ = reader.u32_le();
    std::set<std::uint32_t> seen;
    const auto take_number = [&] {
      const std::uint32_t number = reader.varint32();
      return number >= kFirst && number < next_ && seen.insert(number).second
                 ? std::optional(number)
                 : std::nullopt;
    };
    const std::uint64_t names = reader.varint64();
    for (std::uint64_t i = 0; reader.ok() && i < std::min<std::uint64_t>(names, kCountMax); ++i) {
      const BytesView name = reader.sized();
      const auto number = take_number();
      if (!number || !check_name(name)) return damaged("a name or its number is wrong");
      if (!names_.empty() && names_.rbegin()->first >= name) return damaged("its names' order");
      names_.emplace_hint(names_.end(), name, *number);
    }
    const std::uint64_t dropped = reader.varint64();
    for (std::uint64_t i = 0; reader.ok() && i < std::min<std::uint64_t>(dropped, kCountMax); ++i) {
      const auto number = take_number();
      if (!number) return damaged("a dropped number is wrong");
      dropped_.push_back(*number);
    }
    if (!reader.finished() || reserved != 0 || next_ < kFirst || names > kCountMax ||
        dropped > kCountMax) {
      return damaged("a count, a reserved field or its length is wrong");
    }
    return {};
  }

  Result<std::uint32_t> take() {
    if (next_ == UINT32_MAX) return Error(Code::quota, "all numbers of keyspaces have been used");
    return next_++;
  }

  std::uint32_t next_ = kFirst;
  std::map<std::string, std::uint32_t, std::less<>> names_;
  std::vector<std::uint32_t> dropped_;
};

/// `change` alters a Directory and says whether it did; it may run more than once.
template <class Change>
Result<> Keyspaces::change(Change change) {
  const auto rewrite = [&](const Current& current, Update& update) -> Result<> {
    STRATA_LET(Directory directory, Directory::decode(current));
    STRATA_LET(const bool changed, change(directory));
    if (!changed) return {};
    update.action = Update::Action::put;
    update.attributes.type = ValueType::system;
    update.value = directory.encode();
    return {};
  };
  STRATA_TRY(engine_.update(kKey, rewrite));
  return {};
}

Result<Keyspaces::Directory> Keyspaces::read() {
  Value value;
  STRATA_LET(std::optional<RecordInfo> info, engine_.get(kKey, value));
  return Directory::decode(Current{std::move(info), value.view()});
}

Result<std::optional<Keyspace>> Keyspaces::find(std::string_view name) {
  STRATA_TRY(check_name(name));
  STRATA_LET(const Directory directory, read());
  return directory.find(name);
}

Result<Keyspace> Keyspaces::find_or_make(std::string_view name) {
  STRATA_LET(const std::optional<Keyspace> found, find(name));
  if (found) return *found;
  Keyspace made{};
  STRATA_TRY(change([&](Directory& directory) -> Result<bool> {
    const bool is_new = !directory.find(name).has_value();
    STRATA_LET(made, directory.make(name));
    return is_new;
  }));
  return made;
}

Result<> Keyspaces::swap(std::string_view one, std::string_view other) {
  STRATA_TRY(check_name(one));
  STRATA_TRY(check_name(other));
  return change([&](Directory& directory) -> Result<bool> {
    STRATA_TRY(directory.make(one));
    STRATA_TRY(directory.make(other));
    directory.swap(one, other);
    return true;
  });
}

Result<> Keyspaces::renew(const std::vector<std::string>& names) {
  const std::set<std::string_view> once(names.begin(), names.end());
  for (const std::string_view name : once) STRATA_TRY(check_name(name));
  return change([&](Directory& directory) -> Result<bool> {
    for (const std::string_view name : once) STRATA_TRY(directory.renew(name));
    return !once.empty();
  });
}

Result<std::vector<std::pair<std::string, Keyspace>>> Keyspaces::list() {
  STRATA_LET(const Directory directory, read());
  std::vector<std::pair<std::string, Keyspace>> all;
  all.reserve(directory.names().size());
  for (const auto& [name, number] : directory.names()) all.emplace_back(name, Keyspace{number});
  return all;
}

Result<bool> Keyspaces::sweep(std::uint32_t records) {
  STRATA_LET(const Directory directory, read());
  std::uint32_t left = std::max(records, 1U);
  for (const std::uint32_t number : directory.dropped()) {
    const Keyspace space{number};
    if (left == 0) return true;
    STRATA_LET(const std::uint32_t removed, remove_some(space, left));
    left -= std::min(left, removed);
    STRATA_LET(const std::uint64_t rest, engine_.count(space));
    if (rest != 0) return true;
    STRATA_TRY(change([&](Directory& now) -> Result<bool> { return now.forget(space); }));
  }
  return false;
}

/// Removes about `records` records; gives how many.
Result<std::uint32_t> Keyspaces::remove_some(Keyspace space, std::uint32_t records) {
  // Steps that find nothing visible are bounded, too: expired records are not ours to remove.
  constexpr int kStepsMax = 64;
  CursorOptions options;
  options.count = records;
  Bytes cursor;
  ScanPage page;
  std::uint32_t removed = 0;
  for (int step = 0; step < kStepsMax && removed < records; ++step) {
    STRATA_TRY(engine_.scan_some(space, cursor, options, page));
    STRATA_TRY(remove_all_of(page, space));
    removed += static_cast<std::uint32_t>(page.size());
    if (cursor.empty()) break;
  }
  return removed;
}

Result<> Keyspaces::remove_all_of(const ScanPage& page, Keyspace space) {
  const bool whole = engine_.as<AtomicBatch>() != nullptr;
  const Limits limits = engine_.limits();
  WriteBatch batch;
  for (std::size_t i = 0; i < page.size(); ++i) {
    batch.remove({space, page[i].key});
    const bool full = !whole || batch.effects().size() >= limits.batch_effects_max ||
                      batch.bytes() + kKeyBytesMax > limits.batch_bytes_max;
    if (!full && i + 1 < page.size()) continue;
    STRATA_TRY(engine_.commit(batch));
    batch.clear();
  }
  return {};
}

}  // namespace strata
