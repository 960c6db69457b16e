// Expiry times as commands give them: EX, PX, EXAT, PXAT and the EXPIRE family.
#pragma once

#include <cstdint>
#include <optional>

#include "server/command.h"

namespace strata::server {

enum class TimeUnit : std::uint8_t { seconds, milliseconds };
enum class TimeBase : std::uint8_t { now, epoch };

/// The absolute time in ms of `number`, which must be above 0 and not overflow. Otherwise the
/// reply is the error that Redis gives, and nothing is returned.
std::optional<std::int64_t> expiry_of(Call& call, BytesView number, TimeUnit unit, TimeBase base);

/// The options EX, PX, EXAT and PXAT of SET and GETEX, of which a call may have one; it may stand
/// there more than once, and the last counts.
class ExpiryOption {
 public:
  /// Takes the option at arguments[i] with its number and moves `i` on; false: it is none of the
  /// four, has no number, or another one of the four came before.
  bool take(Call& call, std::size_t& i);
  /// Judges the number; false: the reply is the error.
  bool resolve(Call& call);
  bool given() const noexcept { return given_; }
  std::int64_t expires_ms() const noexcept { return expires_ms_; }

 private:
  bool given_ = false;
  BytesView number_;
  TimeUnit unit_{};
  TimeBase base_{};
  std::int64_t expires_ms_ = kNeverExpires;
};

}  // namespace strata::server
