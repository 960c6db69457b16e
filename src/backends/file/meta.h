// MetaFile: META.json of a store, and the versions that it hands out.
//
// Format:  docs/formats/file.md
// Threads: take_version() from any; the rest from one.
// Always:  every version handed out is below the version_next that lies durably in META.json, so no
//          version is used twice, whatever crashes.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "backends/file/census.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "strata/record.h"
#include "strata/result.h"

namespace strata::backends::file {

struct Meta {
  bool clean = true;
  std::uint64_t version_next = 1;
  std::map<std::uint32_t, Census::Totals> keyspaces;
  friend bool operator==(const Meta&, const Meta&) = default;
};
Bytes encode_meta(const Meta& meta);
Result<Meta> decode_meta(BytesView text);

class MetaFile {
 public:
  static constexpr std::string_view kName = "META.json";

  /// Borrows `files`. `folder` is the store's.
  MetaFile(io::FileSystem& files, const std::string& folder);

  /// Absent: there is none. One that is damaged: Code::corruption.
  Result<std::optional<Meta>> read();
  /// Says that the store is in use, from `meta` on; then versions can be taken.
  Result<> start(const Meta& meta);
  Result<Version> take_version();
  /// Says how the store is left: `clean` or not, with what is known of its keyspaces.
  Result<> finish(bool clean, std::map<std::uint32_t, Census::Totals> keyspaces);

 private:
  Result<> reserve(std::uint64_t beyond) STRATA_REQUIRES(mutex_);

  io::FileSystem& files_;
  const std::string path_;
  std::atomic<std::uint64_t> next_{1};   // relaxed: only its own order matters
  std::atomic<std::uint64_t> limit_{0};  // release in reserve(), acquire in take_version()
  base::Mutex mutex_;
};

}  // namespace strata::backends::file
