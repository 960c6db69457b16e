// export: the records of a keyspace as JSON lines, CSV rows, or files of a folder.
//
// Always: bounded memory; lines are the bytes that were imported; an export that was interrupted
// goes
//         on where it was when it is run again.
#pragma once

#include <string>

#include "cli/context.h"

namespace strata::cli {

struct ExportOptions {
  std::string path;    ///< "-": standard output
  std::string form;    ///< "ndjson", "csv", "folder"; empty: by the path
  std::string prefix;  ///< only keys that begin so; of a folder, taken off
  std::string keyspace = "db0";
  bool skip_bad = false;
  bool again = false;
};

Result<ExitCode> run_export(Context& context, const ExportOptions& options);

}  // namespace strata::cli
