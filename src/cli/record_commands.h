// get, put, del, exists, scan: single records of a store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/text.h"

namespace strata::cli {

struct RecordOptions {
  std::string keyspace = "db0";
  Form form = Form::plain;
  std::string key;                ///< of get and put
  std::vector<std::string> keys;  ///< of del and exists
  std::string value;              ///< of put; "-": standard input
  std::string ttl;                ///< of put: "10s"; empty: forever
};

Result<ExitCode> run_get(Context& context, const RecordOptions& options);
Result<ExitCode> run_put(Context& context, const RecordOptions& options);
Result<ExitCode> run_del(Context& context, const RecordOptions& options);
Result<ExitCode> run_exists(Context& context, const RecordOptions& options);

struct ScanCommandOptions {
  std::string keyspace = "db0";
  Form form = Form::plain;
  std::string prefix;
  std::string begin;
  std::string end;
  std::uint64_t limit = 0;
  bool reverse = false;
  bool keys_only = false;
};

Result<ExitCode> run_scan(Context& context, const ScanCommandOptions& options);

}  // namespace strata::cli
