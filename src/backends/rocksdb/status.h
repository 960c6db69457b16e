// What RocksDB says and throws, as our errors. Every call into it ends here or in try_rocks().
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "strata/result.h"

namespace rocksdb {
class Status;
}

namespace strata::backends::rocksdb {

/// The error of a status that is not ok. `doing` says what was tried: "write a batch".
Error to_error(const ::rocksdb::Status& status, std::string_view doing);

/// Nothing, or the error.
Result<> check(const ::rocksdb::Status& status, std::string_view doing);

/// Runs `function`, which gives a Result; what it throws becomes an error.
template <class Function>
auto try_rocks(Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Error(Code::quota, "rocksdb: out of memory");
  } catch (const std::exception& exception) {
    return Error(Code::io, std::string("rocksdb: ") + exception.what());
  }
}

}  // namespace strata::backends::rocksdb
