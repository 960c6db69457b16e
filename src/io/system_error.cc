// From errno to Code.
#include "io/system_error.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "base/quote.h"

namespace strata::io {
namespace {

constexpr std::size_t kPathShownBytes = 512;

Code code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return Code::quota;
    case EEXIST:
    case ENOTEMPTY:
      return Code::busy;
    default:
      return Code::io;
  }
}

}  // namespace

Error system_error(std::string_view call, std::string_view path, int error_number) {
  const char* reason = ::strerrordesc_np(error_number);
  std::string message(call);
  message += ' ';
  message += base::quote(path, kPathShownBytes);
  message += ": ";
  message += reason != nullptr ? reason : "unknown error " + std::to_string(error_number);
  return Error(code_of(error_number), std::move(message));
}

Error read_error(std::string_view path, std::uint64_t offset, int error_number) {
  return system_error("read at byte " + std::to_string(offset) + " of", path, error_number);
}

}  // namespace strata::io
