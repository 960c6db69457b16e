// The table of RocksDB's codes.
#include "backends/rocksdb/status.h"

#include <rocksdb/status.h>

namespace strata::backends::rocksdb {

namespace {

Code code_of(const ::rocksdb::Status& status) {
  if (status.IsNoSpace() || status.IsMemoryLimit()) return Code::quota;
  switch (status.code()) {
    case ::rocksdb::Status::kCorruption:
      return Code::corruption;
    case ::rocksdb::Status::kNotSupported:
      return Code::not_supported;
    case ::rocksdb::Status::kInvalidArgument:
      return Code::invalid_argument;
    case ::rocksdb::Status::kTimedOut:
      return Code::timeout;
    case ::rocksdb::Status::kBusy:
    case ::rocksdb::Status::kTryAgain:
    case ::rocksdb::Status::kAborted:
      return Code::busy;
    case ::rocksdb::Status::kShutdownInProgress:
      return Code::closed;
    default:
      break;
  }
  // Only the text tells some failures from others. A held lock is EAGAIN from another process, or
  // stands in the list that RocksDB keeps within one.
  const std::string text = status.ToString();
  if (text.find("lock hold by current process") != std::string::npos ||
      text.find("While lock file") != std::string::npos) {
    return Code::busy;
  }
  if (text.find("File too large") != std::string::npos) return Code::quota;  // a limit of ours
  return Code::io;
}

}  // namespace

Error to_error(const ::rocksdb::Status& status, std::string_view doing) {
  return Error(code_of(status), "rocksdb: cannot " + std::string(doing) + ": " + status.ToString());
}

Result<> check(const ::rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) [[likely]]
    return {};
  return to_error(status, doing);
}

}  // namespace strata::backends::rocksdb
