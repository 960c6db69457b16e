// ImportSource: what an import reads, record by record: lines of JSON, rows of CSV, files of a
// folder.
//
// Always: bounded memory (one record); a fault is a sentence that names file and line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/ndjson_reader.h"
#include "io/file_system.h"
#include "strata/engine.h"

namespace strata::cli {

enum class TransferForm : unsigned char { ndjson, csv, folder };

inline constexpr std::size_t kLineBytesMax = 16 * 1024 * 1024;

/// How a record gets its key.
struct KeyRule {
  std::string field;   ///< of that field or column; empty: by its line's number
  std::string prefix;  ///< goes before it
};

struct ImportItem {
  Bytes key;
  BytesView value;  ///< valid until the next one
};

enum class ImportStep : unsigned char { item, fault, end };

class ImportSource {
 public:
  virtual ~ImportSource() = default;
  /// `fault`: the record is broken; fault() says where and how, and the next one may be right.
  virtual Result<ImportStep> next(ImportItem& item) = 0;
  const std::string& fault() const noexcept { return fault_; }
  /// Behind what next() gave.
  virtual TextPlace place() const = 0;
  /// Of a folder: the last file.
  virtual std::string last_path() const { return {}; }
  /// Of CSV: the header line with its line end.
  virtual Bytes header() const { return {}; }

 protected:
  ImportStep broken(std::string sentence) {
    fault_ = std::move(sentence);
    return ImportStep::fault;
  }

 private:
  std::string fault_;
};

struct SourceOptions {
  std::string path;  ///< "-": standard input
  TransferForm form = TransferForm::ndjson;
  KeyRule key;
  Limits limits;          ///< of the store: what keys and values may be
  TextPlace start;        ///< goes on from here
  std::string last_path;  ///< of a folder: goes on behind it
};

Result<std::unique_ptr<ImportSource>> open_source(io::FileSystem& files,
                                                  const SourceOptions& options);

}  // namespace strata::cli
