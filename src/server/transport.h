// Transport: the way to a client's bytes; a socket today, TLS over one some day.
//
// Always: nothing here waits. An answer says for what to wait before the same call is made again:
//         a read may need the socket to be writable (TLS renegotiates), and the other way round.
// Threads: one at a time.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "server/descriptor.h"

namespace strata::server {

class Transport {
 public:
  enum class State : std::uint8_t {
    moved,          ///< `bytes` of them, at least one
    wait_readable,  ///< none now; try again when it can be read
    wait_writable,  ///< none now; try again when it can be written
    ended,          ///< the client sends no more (reads only)
    broken          ///< nothing goes any more
  };
  struct Moved {
    State state;
    std::size_t bytes = 0;
  };

  virtual ~Transport() = default;
  virtual Moved read(std::span<char> into) = 0;
  virtual Moved write(std::span<const iovec> from) = 0;
  /// Says to the client that nothing more will come.
  virtual void end_output() = 0;
};

/// Owns a connected, non-blocking stream socket.
std::unique_ptr<Transport> socket_transport(Descriptor socket);

}  // namespace strata::server
