// ExportSink: where exported records go: lines or rows of a file, files of a folder, standard
// output.
//
// Always: what a state speaks of is durable before the state is; a file appears under its own name
//         only when it is whole.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/export_state.h"
#include "cli/import_source.h"
#include "io/file_system.h"

namespace strata::cli {

class ExportSink {
 public:
  virtual ~ExportSink() = default;
  /// What is wrong with the record for this form; empty: it was written.
  virtual Result<std::string> write(BytesView key, BytesView value) = 0;
  /// Makes what was written durable, then remembers `state` (its bytes are filled in).
  virtual Result<> keep(ExportState& state) = 0;
  /// The whole is there under its own name.
  virtual Result<> finish() = 0;
  virtual std::uint64_t bytes() const = 0;
};

struct SinkOptions {
  std::string path;  ///< "-": standard output
  TransferForm form = TransferForm::ndjson;
  std::string key_prefix;  ///< of a folder: taken off the keys
  Bytes csv_header;        ///< of CSV, with its line end
};

/// The state that an interrupted export left; nothing: begin anew.
Result<std::optional<ExportState>> find_export(io::FileSystem& files, const SinkOptions& options,
                                               const std::string& target);
/// Goes on from `state`.
Result<std::unique_ptr<ExportSink>> open_sink(io::FileSystem& files, const SinkOptions& options,
                                              const ExportState& state);

/// Whether a key can be the path of a file in a folder, and if not why.
std::string path_fault(BytesView key);

}  // namespace strata::cli
