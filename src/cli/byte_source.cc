#include "cli/byte_source.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/interrupt.h"
#include "io/system_error.h"

namespace strata::cli {

Result<std::size_t> FileSource::read(std::span<char> to) {
  STRATA_LET(const std::size_t n, file_->pread(offset_, to));
  offset_ += n;
  return n;
}

// A signal may come between the look at it and the read that would then sleep on, so it is looked
// for every so often while nothing comes.
Result<std::size_t> StdinSource::read(std::span<char> to) {
  constexpr int kLookEveryMs = 50;
  while (true) {
    if (interrupted()) return 0;
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kLookEveryMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    if (ready < 0) return io::system_error("poll", "standard input", errno);
    const ssize_t n = ::read(STDIN_FILENO, to.data(), to.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return io::system_error("read", "standard input", errno);
  }
}

Result<std::size_t> MemorySource::read(std::span<char> to) {
  const std::size_t n = std::min({to.size(), piece_, rest_.size()});
  rest_.copy(to.data(), n);
  rest_.remove_prefix(n);
  return n;
}

Result<bool> Window::more() {
  buffer_.erase(0, taken_);
  offset_ += taken_;
  taken_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kPieceBytes);
  const Result<std::size_t> n = source_.read(std::span(buffer_).subspan(before));
  buffer_.resize(before + n.value_or(0));
  if (!n) return n.error();
  return *n != 0;
}

}  // namespace strata::cli
