// LeafFolder: the files of the records in one folder, and how they are read, written and put in
// order after a crash. Holds no state; which of two sidecars counts while the store runs is the
// affair of Records.
//
// Format:  docs/formats/file.md
// Threads: reads at any time; list(), repair() and all that writes under the folder's lock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/file/names.h"
#include "backends/file/sidecar.h"
#include "io/file_system.h"
#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::backends::file {

class LeafFolder {
 public:
  /// The files of one record.
  struct Files {
    bool meta = false;
    bool next = false;
    bool temp = false;
    std::vector<std::uint64_t> values;  ///< versions in their names
  };
  struct Listing {
    std::map<std::string, Files> records;  ///< by name, those without a sidecar too
    std::uint64_t strangers = 0;           ///< files that are none of ours
  };

  LeafFolder(io::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  std::string file(std::string_view name, std::string_view suffix = {}) const;
  /// Empty if the folder is not there.
  Result<Listing> list() const;

  /// Absent: no such file. Damaged: Code::corruption, naming file and key.
  Result<std::optional<Sidecar>> sidecar(std::string_view name, std::string_view suffix) const;
  /// False: no such file, and `value` is empty. Bytes that are not those of the sidecar:
  /// Code::corruption, naming file and key, and `value` is empty.
  Result<bool> value(const Sidecar& sidecar, Value& value) const;
  /// The sidecar that counts after a crash: see "Recovery".
  Result<std::optional<Sidecar>> settled_sidecar(std::string_view name) const;

  /// A new file with these bytes.
  Result<> write(std::string_view file, BytesView bytes, bool sync) const;
  Result<> sync_file(std::string_view file) const;
  /// Puts the folder in order; see "Recovery". Gives whether a record came to be by that.
  Result<bool> repair() const;
  /// Takes a file away. One that stays does no harm: nothing names it.
  void discard(std::string_view file) const;

 private:
  Result<bool> next_counts(std::string_view name, const std::optional<Sidecar>& meta,
                           const Sidecar& next) const;
  Result<bool> repair_record(const std::string& name, const Files& found) const;

  io::FileSystem& files_;
  const std::string path_;
};

}  // namespace strata::backends::file
