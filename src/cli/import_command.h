// import: a file of JSON lines, a CSV file, or a folder of files, into a keyspace.
//
// Always: bounded memory; an import that was interrupted goes on where it was when it is run again;
// a
//         file with a broken line changes nothing (it is read through first), unless told to skip.
#pragma once

#include <string>

#include "cli/context.h"

namespace strata::cli {

struct ImportOptions {
  std::string path;
  std::string form;    ///< "ndjson", "csv", "folder"; empty: by the path
  std::string field;   ///< the key's field or column; empty: a counter
  std::string prefix;  ///< before each key
  std::string keyspace = "db0";
  bool skip_bad = false;
  bool again = false;
};

Result<ExitCode> run_import(Context& context, const ImportOptions& options);

}  // namespace strata::cli
