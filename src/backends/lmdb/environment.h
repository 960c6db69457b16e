// MapEnvironment: one open LMDB environment: its file, its map and its three sub-databases.
//
// Format:  docs/formats/lmdb.md
// Always:  no crash, of the process or the machine, damages the file: LMDB runs with NOMETASYNC,
//          which syncs pages before the root that shows them, and never with NOSYNC.
// Threads: any, but grow() and adopt_growth(): their caller is alone, with no transaction open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backends/lmdb/resident_pages.h"
#include "strata/bytes.h"
#include "strata/result.h"

struct MDB_env;
struct MDB_txn;
struct MDB_val;

namespace strata::backends::lmdb {

struct Settings {
  std::uint64_t map_bytes = 0;  ///< to begin with; it grows
  unsigned readers = 0;         ///< transactions that may read at once
  bool read_only = false;
  bool create = true;
};

/// Our bytes as LMDB takes them: nothing is copied, and LMDB does not write to them.
MDB_val value_of(BytesView bytes);

/// The error of a code that LMDB returned. `doing` says what was tried: "read a record".
Error to_error(int code, std::string_view doing);
Result<> check(int code, std::string_view doing);

class MapEnvironment {
 public:
  /// `folder` must be there.
  static Result<std::unique_ptr<MapEnvironment>> open(const std::string& folder,
                                                      const Settings& settings);
  ~MapEnvironment();
  MapEnvironment(const MapEnvironment&) = delete;
  MapEnvironment& operator=(const MapEnvironment&) = delete;

  MDB_env* handle() const noexcept { return env_; }
  unsigned meta() const noexcept { return meta_; }
  unsigned records() const noexcept { return records_; }
  unsigned expiries() const noexcept { return expiries_; }
  ResidentPages& resident() noexcept { return resident_; }

  /// Everything that was committed survives a loss of power.
  Result<> sync();
  /// Doubles the map.
  Result<> grow();
  /// Takes over the size that another process gave the map.
  Result<> adopt_growth();
  std::uint64_t map_bytes() const;
  std::uint64_t used_bytes() const;
  /// Copies what is committed, without free pages, into an empty folder. Not synced.
  Result<> copy_to(const std::string& folder);
  /// Frees the slots of readers that died without a word; gives how many.
  unsigned clear_stale_readers();

 private:
  MapEnvironment() = default;
  Result<> open_map(const std::string& folder, const Settings& settings);
  Result<> open_databases(const std::string& folder, const Settings& settings);
  Result<> check_format(MDB_txn* txn, const std::string& folder, bool may_make);
  Result<> resize(std::uint64_t map_bytes, std::string_view doing);
  /// Where the map lies may have changed.
  void find_map();

  MDB_env* env_ = nullptr;
  unsigned meta_ = 0;
  unsigned records_ = 0;
  unsigned expiries_ = 0;
  ResidentPages resident_;
};

}  // namespace strata::backends::lmdb
