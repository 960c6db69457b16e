#include "backends/hybridlog/extent_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/quote.h"
#include "io/files.h"

namespace strata::backends::hybridlog {

using base::MutexLock;

namespace {

constexpr BytesView kExtentMagic = "STRATAEX";
constexpr std::uint16_t kExtentFormat = 1;
constexpr std::size_t kPathBytesMax = 512;  // in messages
constexpr std::uint64_t kFolders = 256;
/// Of the budget's limit, for the cache.
constexpr std::uint64_t kCacheShare = 8;
/// What an extent in memory takes beside its bytes: nodes, the string, what malloc adds.
constexpr std::uint64_t kHeldBytes = 256;

std::string name_of(std::uint64_t id) { return fmt::format("{:016x}.ext", id); }

/// Nothing where name_of() gives no such name.
std::optional<std::uint64_t> id_of(std::string_view name) {
  std::uint64_t id = 0;
  std::from_chars(name.data(), name.data() + name.size(), id, 16);
  return name == name_of(id) ? std::optional(id) : std::nullopt;
}

Bytes encode_header(const ExtentRef& ref) {
  Bytes header(kExtentMagic);
  base::put_u16_le(header, kExtentFormat);
  header.append(6, '\0');
  base::put_u64_le(header, ref.id);
  base::put_u64_le(header, ref.bytes);
  base::put_u32_le(header, ref.crc32c);
  header.append(4, '\0');
  base::put_u64_le(header, 0);  // key id: not encrypted
  header.append(12, '\0');
  base::put_u32_le(header, base::crc32c(header));
  STRATA_CHECK(header.size() == kExtentHeaderBytes);
  return header;
}

Error damaged_extent(const std::string& path, std::string_view what) {
  return {Code::corruption, fmt::format("extent {}: {}", base::quote(path, kPathBytesMax), what)};
}

Result<> check_header(const std::string& path, BytesView header, const ExtentRef& ref) {
  if (!header.starts_with(kExtentMagic)) return damaged_extent(path, "this is no extent");
  if (base::crc32c(header.substr(0, kExtentHeaderBytes - 4)) !=
      base::load_u32_le(header.data() + kExtentHeaderBytes - 4)) {
    return damaged_extent(path, "the header's checksum differs");
  }
  const std::uint16_t format = base::load_u16_le(header.data() + kExtentMagic.size());
  if (format != kExtentFormat)
    return damaged_extent(path, fmt::format("unknown format {}", format));
  if (header != encode_header(ref)) return damaged_extent(path, "this is another extent");
  return {};
}

}  // namespace

void ExtentRef::encode(Bytes& to) const {
  base::put_u64_le(to, id);
  base::put_u64_le(to, bytes);
  base::put_u32_le(to, crc32c);
}

std::optional<ExtentRef> ExtentRef::decode(BytesView from) noexcept {
  base::Reader reader(from);
  ExtentRef ref;
  ref.id = reader.u64_le();
  ref.bytes = reader.u64_le();
  ref.crc32c = reader.u32_le();
  return reader.finished() ? std::optional(ref) : std::nullopt;
}

/// What is taken from the budget for extents in memory. Shares hold it, and may outlive the store
/// and the budget: at the store's end all is given back at once.
class ExtentStore::Account {
 public:
  explicit Account(MemoryBudget& budget) : budget_(&budget) {}

  bool try_take(std::uint64_t bytes) {
    const MutexLock lock(mutex_);
    if (!budget_->try_take(bytes)) return false;
    taken_ += bytes;
    return true;
  }
  void take(std::uint64_t bytes) {
    const MutexLock lock(mutex_);
    budget_->take(bytes);
    taken_ += bytes;
  }
  void give(std::uint64_t bytes) {
    const MutexLock lock(mutex_);
    if (budget_ == nullptr) return;
    budget_->give(bytes);
    taken_ -= bytes;
  }
  void close() {
    const MutexLock lock(mutex_);
    budget_->give(taken_);
    budget_ = nullptr;
  }
  std::uint64_t taken() const {
    const MutexLock lock(mutex_);
    return taken_;
  }

  /// Of bytes for which held_bytes() were taken.
  static Share share(const std::shared_ptr<Account>& account, Bytes bytes) {
    const std::uint64_t taken = held_bytes(bytes.size());
    return {new Bytes(std::move(bytes)), [account, taken](const Bytes* gone) {
              delete gone;
              account->give(taken);
            }};
  }
  static std::uint64_t held_bytes(std::uint64_t bytes) noexcept { return bytes + kHeldBytes; }

 private:
  mutable base::Mutex mutex_;
  MemoryBudget* budget_ STRATA_GUARDED_BY(mutex_);  // null: the store has ended
  std::uint64_t taken_ STRATA_GUARDED_BY(mutex_) = 0;
};

ExtentStore::ExtentStore(io::FileSystem& files, std::string folder, MemoryBudget& budget,
                         bool read_only)
    : files_(files),
      folder_(std::move(folder)),
      read_only_(read_only),
      cache_bytes_max_(budget.limit() / kCacheShare),
      account_(std::make_shared<Account>(budget)) {}

ExtentStore::~ExtentStore() { account_->close(); }

Result<std::unique_ptr<ExtentStore>> ExtentStore::open(io::FileSystem& files, std::string folder,
                                                       MemoryBudget& budget, bool read_only) {
  if (!folder.empty() && !read_only) STRATA_TRY(io::create_directories(files, folder));
  return std::unique_ptr<ExtentStore>(new ExtentStore(files, std::move(folder), budget, read_only));
}

std::string ExtentStore::folder_of(std::uint64_t low_byte) const {
  return io::join_path(folder_, fmt::format("{:02x}", low_byte));
}

std::string ExtentStore::path_of(std::uint64_t id) const {
  return io::join_path(folder_of(id % kFolders), name_of(id));
}

Result<ExtentRef> ExtentStore::write(BytesView value) {
  ExtentRef ref{0, value.size(), base::crc32c(value)};
  if (read_only_) {
    return Error(Code::not_supported, "extents in " + base::quote(folder_, kPathBytesMax) +
                                          " are open for reading only");
  }
  {
    const MutexLock lock(mutex_);
    if (failure_) return *failure_;
    ref.id = next_id_++;
  }
  if (memory_only()) {
    if (!take_memory(ref.bytes)) {
      return Error(Code::quota, fmt::format("no memory for a value of {} bytes", ref.bytes));
    }
    keep(ref.id, Account::share(account_, Bytes(value)));
  } else {
    STRATA_TRY(write_file(ref, value));
    if (fits_cache(ref.bytes) && take_memory(ref.bytes)) {
      keep(ref.id, Account::share(account_, Bytes(value)));
    }
  }
  const MutexLock lock(mutex_);
  ++count_;
  if (memory_only()) return ref;
  unsynced_.push_back(ref.id);
  bytes_disk_ += kExtentHeaderBytes + ref.bytes;
  return ref;
}

Result<> ExtentStore::write_file(const ExtentRef& ref, BytesView value) {
  STRATA_TRY(prepare_folder(ref.id % kFolders));
  const std::string path = path_of(ref.id);
  STRATA_LET(const std::unique_ptr<io::File> file, files_.open(path, io::OpenMode::create_new));
  Result<> written = file->append(encode_header(ref));
  if (written) written = file->append(value);
  if (written) written = file->close();
  // The first error is the one to report. A file that stays all the same is removed at next open.
  if (!written) (void)files_.remove(path);
  return written;
}

Result<> ExtentStore::prepare_folder(std::uint64_t low_byte) {
  {
    const MutexLock lock(mutex_);
    if (folders_made_.test(low_byte)) return {};
  }
  STRATA_TRY(files_.create_directory(folder_of(low_byte)));
  const MutexLock lock(mutex_);
  folders_made_.set(low_byte);
  root_unsynced_ = true;  // also where it was there: whoever made it may not have come to that
  return {};
}

Result<ExtentStore::Share> ExtentStore::read(const ExtentRef& ref) {
  if (Share share = cached(ref)) return share;
  if (memory_only()) {
    return Error(Code::corruption, fmt::format("extent {} is not in memory", ref.id));
  }
  STRATA_LET(Share share, read_file(ref));
  return fits_cache(ref.bytes) ? keep(ref.id, std::move(share)) : share;
}

Result<ExtentStore::Share> ExtentStore::read_file(const ExtentRef& ref) {
  const std::string path = path_of(ref.id);
  STRATA_LET(const std::unique_ptr<io::File> file, files_.open_if_exists(path));
  if (file == nullptr) return damaged_extent(path, "the file is not there");
  STRATA_LET(const std::uint64_t size, file->size());
  if (size < kExtentHeaderBytes || size - kExtentHeaderBytes != ref.bytes) {
    return damaged_extent(path, fmt::format("{} bytes instead of {} and a header of {}", size,
                                            ref.bytes, kExtentHeaderBytes));
  }
  Bytes header(kExtentHeaderBytes, '\0');
  STRATA_TRY(io::read_exactly(*file, 0, header));
  STRATA_TRY(check_header(path, header, ref));
  // A read goes on without memory in the budget; the excess lasts while somebody reads.
  if (!take_memory(ref.bytes)) account_->take(Account::held_bytes(ref.bytes));
  Bytes bytes;
  Result<> read;
  // Not the size it is called with: g++ 12 may pass the capacity.
  bytes.resize_and_overwrite(ref.bytes, [&](char* to, std::size_t) {
    read = io::read_exactly(*file, kExtentHeaderBytes, {to, ref.bytes});
    return read ? ref.bytes : 0;
  });
  if (!read || base::crc32c(bytes) != ref.crc32c) {
    account_->give(Account::held_bytes(ref.bytes));
    STRATA_TRY(std::move(read));
    return damaged_extent(path, "the checksum of its bytes differs");
  }
  return Account::share(account_, std::move(bytes));
}

ExtentStore::Share ExtentStore::cached(const ExtentRef& ref) {
  const MutexLock lock(mutex_);
  const auto at = held_.find(ref.id);
  if (at == held_.end()) return nullptr;
  uses_.splice(uses_.end(), uses_, at->second.use);
  return at->second.share;
}

void ExtentStore::release(const ExtentRef& ref) {
  std::vector<Share> gone;
  const MutexLock lock(mutex_);
  if (count_ > 0) --count_;  // 0: recovery lets go of what was not counted yet
  if (const auto at = held_.find(ref.id); at != held_.end()) drop(at, gone);
  if (!memory_only()) dead_.push_back(ref);
}

Result<> ExtentStore::sync() {
  const MutexLock turn(sync_mutex_);
  std::vector<std::uint64_t> ids;
  bool root = false;
  {
    const MutexLock lock(mutex_);
    if (failure_) return *failure_;
    ids.swap(unsynced_);
    root = std::exchange(root_unsynced_, false);
  }
  bool lost = false;
  Result<> synced = sync_files(ids, root, lost);
  if (synced) return synced;
  const MutexLock lock(mutex_);
  if (lost) {
    failure_ = synced.error();
  } else {
    unsynced_.insert(unsynced_.end(), ids.begin(), ids.end());
    root_unsynced_ = root_unsynced_ || root;
  }
  return synced;
}

// A sync that fails may have dropped what it should have written: another one would not notice.
Result<> ExtentStore::sync_files(const std::vector<std::uint64_t>& ids, bool root, bool& lost) {
  // Files are opened again, rather than kept open since they were written, so that any number of
  // them can wait. An error of the system's own writing in between is reported to who opens then.
  std::bitset<kFolders> folders;
  for (const std::uint64_t id : ids) {
    const std::string path = path_of(id);
    STRATA_LET(const std::optional<io::FileInfo> info, files_.stat(path));
    if (!info) continue;  // dropped since
    STRATA_LET(const std::unique_ptr<io::File> file, files_.open(path, io::OpenMode::read_write));
    lost = true;
    STRATA_TRY(file->sync());
    lost = false;
    folders.set(id % kFolders);
  }
  lost = true;
  for (std::uint64_t i = 0; i < kFolders; ++i) {
    if (folders.test(i)) STRATA_TRY(files_.sync_directory(folder_of(i)));
  }
  return root ? files_.sync_directory(folder_) : Result<>{};
}

std::uint64_t ExtentStore::next_id() const {
  const MutexLock lock(mutex_);
  return next_id_;
}

void ExtentStore::set_next_id(std::uint64_t id) {
  const MutexLock lock(mutex_);
  next_id_ = std::max(next_id_, id);
}

std::size_t ExtentStore::dead_mark() const {
  const MutexLock lock(mutex_);
  return dropped_ + dead_.size();
}

Result<> ExtentStore::drop_dead(std::size_t mark) {
  while (true) {
    ExtentRef ref;
    {
      const MutexLock lock(mutex_);
      if (dead_.empty() || dropped_ >= mark) return {};
      ref = dead_.front();
    }
    const MutexLock turn(sync_mutex_);  // sync() would make the file anew
    STRATA_LET(const bool removed, files_.remove(path_of(ref.id)));
    const MutexLock lock(mutex_);
    dead_.pop_front();
    ++dropped_;
    if (removed) bytes_disk_ -= kExtentHeaderBytes + ref.bytes;
  }
}

Result<> ExtentStore::remove_unknown(FunctionRef<bool(std::uint64_t id)> known) {
  std::uint64_t next = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t low_byte = 0; !memory_only() && low_byte < kFolders; ++low_byte) {
    STRATA_LET(const std::vector<std::string> names, names_in(low_byte));
    for (const std::string& name : names) {
      const std::string path = io::join_path(folder_of(low_byte), name);
      const std::optional<std::uint64_t> id = id_of(name);
      if (id) next = std::max(next, *id + 1);
      if (id && *id % kFolders == low_byte && known(*id)) {
        STRATA_LET(const std::optional<io::FileInfo> info, files_.stat(path));
        ++count;
        bytes += info ? info->bytes : 0;
      } else if ((id || name.ends_with(".tmp")) && !read_only_) {
        STRATA_TRY(files_.remove(path));
      }
    }
  }
  const MutexLock lock(mutex_);
  if (memory_only()) return {};
  next_id_ = std::max(next_id_, next);
  count_ = count;
  bytes_disk_ = bytes;
  return {};
}

Result<std::vector<std::string>> ExtentStore::names_in(std::uint64_t low_byte) {
  std::vector<std::string> names;
  const std::string folder = folder_of(low_byte);
  STRATA_LET(const std::optional<io::FileInfo> info, files_.stat(folder));
  if (!info) return names;
  STRATA_TRY(files_.list_directory(folder, [&](std::string_view name, io::FileKind kind) {
    if (kind == io::FileKind::file) names.emplace_back(name);
    return true;
  }));
  return names;
}

bool ExtentStore::fits_cache(std::uint64_t bytes) const noexcept {
  return Account::held_bytes(bytes) <= cache_bytes_max_;
}

bool ExtentStore::take_memory(std::uint64_t bytes) {
  const std::uint64_t taken = Account::held_bytes(bytes);
  if (account_->try_take(taken)) return true;
  shrink(taken);
  return account_->try_take(taken);
}

ExtentStore::Share ExtentStore::keep(std::uint64_t id, Share share) {
  const std::uint64_t bytes = Account::held_bytes(share->size());
  std::vector<Share> gone;
  const MutexLock lock(mutex_);
  if (const auto at = held_.find(id); at != held_.end()) {
    gone.push_back(std::move(share));
    return at->second.share;
  }
  if (!memory_only()) evict(cache_bytes_max_ - bytes, gone);
  held_.emplace(id, Held{share, uses_.insert(uses_.end(), id)});
  held_bytes_ += bytes;
  return share;
}

void ExtentStore::shrink(std::uint64_t bytes) {
  if (memory_only()) return;
  std::vector<Share> gone;
  const MutexLock lock(mutex_);
  evict(held_bytes_ > bytes ? held_bytes_ - bytes : 0, gone);
}

void ExtentStore::evict(std::uint64_t bytes_left, std::vector<Share>& gone) {
  while (held_bytes_ > bytes_left) drop(held_.find(uses_.front()), gone);
}

void ExtentStore::drop(HeldMap::iterator at, std::vector<Share>& gone) {
  STRATA_DCHECK(at != held_.end());
  held_bytes_ -= Account::held_bytes(at->second.share->size());
  gone.push_back(std::move(at->second.share));
  uses_.erase(at->second.use);
  held_.erase(at);
}

std::uint64_t ExtentStore::count() const {
  const MutexLock lock(mutex_);
  return count_;
}

std::uint64_t ExtentStore::bytes_disk() const {
  const MutexLock lock(mutex_);
  return bytes_disk_;
}

std::uint64_t ExtentStore::bytes_memory() const { return account_->taken(); }

}  // namespace strata::backends::hybridlog
