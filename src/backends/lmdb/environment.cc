// Opening, growing and copying of an LMDB environment.
#include "backends/lmdb/environment.h"

#include <lmdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "strata/bytes.h"

namespace strata::backends::lmdb {

namespace {

constexpr std::uint64_t kMapBytesMin = 1024 * 1024;
constexpr std::uint64_t kMapBytesMax = std::uint64_t{1} << 46;
constexpr BytesView kFormatKey = "format";
constexpr BytesView kFormatName = "strata-lmdb 1";

Code code_of(int code) {
  switch (code) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_PANIC:
      return Code::corruption;
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
      return Code::not_supported;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
      return Code::quota;
    case MDB_READERS_FULL:
    case EAGAIN:
    case EBUSY:
      return Code::busy;
    default:
      return Code::io;
  }
}

}  // namespace

MDB_val value_of(BytesView bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

Error to_error(int code, std::string_view doing) {
  std::string text = "lmdb: cannot " + std::string(doing) + ": " + mdb_strerror(code);
  if (code == MDB_READERS_FULL) text += "; raise the option `readers`";
  return Error(code_of(code), std::move(text));
}

Result<> check(int code, std::string_view doing) {
  if (code == MDB_SUCCESS) [[likely]]
    return {};
  return to_error(code, doing);
}

Result<std::unique_ptr<MapEnvironment>> MapEnvironment::open(const std::string& folder,
                                                             const Settings& settings) {
  std::unique_ptr<MapEnvironment> environment(new MapEnvironment());
  STRATA_TRY(environment->open_map(folder, settings));
  STRATA_TRY(environment->open_databases(folder, settings));
  environment->find_map();
  return environment;
}

// A machine may refuse a large map (a limit on address space): a smaller one will do at first.
Result<> MapEnvironment::open_map(const std::string& folder, const Settings& settings) {
  unsigned flags = MDB_NOTLS | MDB_NOMETASYNC;
  if (settings.read_only) flags |= MDB_RDONLY;
  std::uint64_t map_bytes = std::clamp(settings.map_bytes, kMapBytesMin, kMapBytesMax);
  while (true) {
    STRATA_TRY(check(mdb_env_create(&env_), "make an environment"));
    STRATA_TRY(check(mdb_env_set_maxdbs(env_, 3), "make room for sub-databases"));
    STRATA_TRY(check(mdb_env_set_maxreaders(env_, settings.readers), "make room for readers"));
    STRATA_TRY(check(mdb_env_set_mapsize(env_, map_bytes), "size the map"));
    const int code = mdb_env_open(env_, folder.c_str(), flags, 0640);
    if (code != ENOMEM || map_bytes == kMapBytesMin) {
      return check(code, "open the store in " + folder);
    }
    mdb_env_close(env_);
    env_ = nullptr;
    map_bytes = std::max(map_bytes / 2, kMapBytesMin);
  }
}

Result<> MapEnvironment::open_databases(const std::string& folder, const Settings& settings) {
  clear_stale_readers();
  const bool may_make = settings.create && !settings.read_only;
  const unsigned make = may_make ? MDB_CREATE : 0;
  MDB_txn* txn = nullptr;
  STRATA_TRY(check(mdb_txn_begin(env_, nullptr, settings.read_only ? MDB_RDONLY : 0, &txn),
                   "begin a transaction"));
  const auto open_all = [&]() -> Result<> {
    STRATA_TRY(check(mdb_dbi_open(txn, "meta", make, &meta_), "open the store in " + folder));
    STRATA_TRY(check_format(txn, folder, may_make));
    STRATA_TRY(check(mdb_dbi_open(txn, "records", make, &records_), "open records"));
    return check(mdb_dbi_open(txn, "expiries", make, &expiries_), "open the expiry index");
  };
  const Result<> opened = open_all();
  if (!opened) {
    mdb_txn_abort(txn);
    return opened;
  }
  return check(mdb_txn_commit(txn), "open the store in " + folder);
}

Result<> MapEnvironment::check_format(MDB_txn* txn, const std::string& folder, bool may_make) {
  MDB_val key = value_of(kFormatKey);
  MDB_val value{};
  const int code = mdb_get(txn, meta_, &key, &value);
  if (code == MDB_SUCCESS) {
    const BytesView format(static_cast<const char*>(value.mv_data), value.mv_size);
    if (format == kFormatName) return {};
    return Error(Code::not_supported, "lmdb: the store in " + folder +
                                          " has a format that this version of Strata does not "
                                          "know; it knows \"" +
                                          std::string(kFormatName) + "\"");
  }
  if (code != MDB_NOTFOUND) return to_error(code, "read the format of the store");
  MDB_stat stat{};
  STRATA_TRY(check(mdb_stat(txn, meta_, &stat), "read the format of the store"));
  if (!may_make || stat.ms_entries != 0) {
    return Error(Code::not_supported, "lmdb: " + folder + " is not a Strata store");
  }
  value = value_of(kFormatName);
  return check(mdb_put(txn, meta_, &key, &value, 0), "write the format of the store");
}

MapEnvironment::~MapEnvironment() {
  if (env_ != nullptr) mdb_env_close(env_);
}

Result<> MapEnvironment::sync() { return check(mdb_env_sync(env_, 1), "sync the store"); }

Result<> MapEnvironment::grow() {
  const std::uint64_t bytes = map_bytes();
  if (bytes >= kMapBytesMax) return Error(Code::quota, "lmdb: the map is as large as it can be");
  return resize(bytes * 2, "grow the map");
}

Result<> MapEnvironment::adopt_growth() { return resize(0, "take over the size of the map"); }

Result<> MapEnvironment::resize(std::uint64_t map_bytes, std::string_view doing) {
  resident_.forget();
  STRATA_TRY(check(mdb_env_set_mapsize(env_, map_bytes), doing));
  find_map();
  return {};
}

void MapEnvironment::find_map() {
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != MDB_SUCCESS) return;
  MDB_val key = value_of(kFormatKey);
  MDB_val value{};
  if (mdb_get(txn, meta_, &key, &value) == MDB_SUCCESS) resident_.find(value.mv_data);
  mdb_txn_abort(txn);
}

std::uint64_t MapEnvironment::map_bytes() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

std::uint64_t MapEnvironment::used_bytes() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  MDB_stat stat{};
  mdb_env_stat(env_, &stat);
  return (info.me_last_pgno + 1) * stat.ms_psize;
}

Result<> MapEnvironment::copy_to(const std::string& folder) {
  const int code = mdb_env_copy2(env_, folder.c_str(), MDB_CP_COMPACT);
  resident_.touched(used_bytes());
  return check(code, "copy the store to " + folder);
}

unsigned MapEnvironment::clear_stale_readers() {
  int dead = 0;
  return mdb_reader_check(env_, &dead) == MDB_SUCCESS ? static_cast<unsigned>(dead) : 0;
}

}  // namespace strata::backends::lmdb
