// Result<T>: a value or an Error. Every call that the outside world can make fail returns one.
//
// Always: Error is one pointer wide and the path that succeeds allocates nothing; a Result cannot
//         be dropped without a compiler warning; a message names the thing and the place.
// Threads: values; an Error may be copied and read from several threads.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "strata/export.h"

namespace strata {

/// What kind of thing went wrong. The numbers are stable: they appear in no format, but programs
/// built against an older header compare them.
enum class Code : unsigned char {
  io = 1,            ///< the device or file system said no
  corruption,        ///< bytes that were read are not the bytes that were written
  conflict,          ///< somebody else changed what this operation stands on
  busy,              ///< taken by somebody else; may work later
  timeout,           ///< a limit of time ran out
  invalid_argument,  ///< the caller's input
  not_supported,     ///< this store has no such ability
  quota,             ///< a limit of space or count was reached
  unavailable,       ///< a service this store stands on cannot be reached
  closed,            ///< used after close
  authentication     ///< credentials were missing or wrong
};

/// The code's name as written above, for messages and metrics.
STRATA_API std::string_view code_name(Code code);

/// Why something failed: a code, a sentence that names what failed, and what caused it.
class [[nodiscard]] STRATA_API Error {
 public:
  Error(Code code, std::string message);
  /// `cause` is kept and shown behind the message.
  Error(Code code, std::string message, Error cause);

  Code code() const noexcept;
  /// This error's own sentence, without its cause. Valid while any copy of this Error lives.
  const std::string& message() const noexcept;
  /// The error below this one, or null. Valid while any copy of this Error lives.
  const Error* cause() const noexcept;
  /// Message and causes in one line: "cannot open store: data/LOCK: permission denied".
  std::string to_string() const;

 private:
  struct State;
  // One word, not two: the state is reference counted inside.
  class Ref {
   public:
    explicit Ref(State* state) noexcept : state_(state) {}
    Ref(const Ref& other) noexcept;
    Ref(Ref&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
      std::swap(state_, other.state_);
      return *this;
    }
    ~Ref();
    State* operator->() const noexcept { return state_; }

   private:
    State* state_;
  };
  Ref state_;
};

/// A T, or the Error that kept it from being made.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using Base = std::expected<T, Error>;
  using Base::Base;
  // An Error converts by itself, so that `return Error(...)` works.
  Result(Error error) : Base(std::unexpect, std::move(error)) {}  // NOLINT: implicit on purpose
};

}  // namespace strata

#define STRATA_CONCAT_INNER(a, b) a##b
#define STRATA_CONCAT(a, b) STRATA_CONCAT_INNER(a, b)

/// Returns the error of `expression` from the enclosing function, if it failed.
#define STRATA_TRY(expression)                                      \
  do {                                                              \
    auto strata_try_result = (expression);                          \
    if (!strata_try_result) [[unlikely]]                            \
      return ::strata::Error(std::move(strata_try_result).error()); \
  } while (false)

/// Declares `declaration` from the value of `expression`, or returns its error.
#define STRATA_LET(declaration, expression) \
  STRATA_LET_IMPL(STRATA_CONCAT(strata_let_, __LINE__), declaration, expression)
#define STRATA_LET_IMPL(name, declaration, expression) \
  auto name = (expression);                            \
  if (!name) [[unlikely]]                              \
    return ::strata::Error(std::move(name).error());   \
  declaration = *std::move(name)
