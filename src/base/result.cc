// Error's state: reference counted, immutable after construction.
#include "strata/result.h"

#include <atomic>
#include <optional>

namespace strata {

struct Error::State {
  State(Code c, std::string m, std::optional<Error> why)
      : code(c), message(std::move(m)), cause(std::move(why)) {}

  std::atomic<unsigned> references{1};  // relaxed up; acq_rel down, paired with itself in ~Ref
  Code code;
  std::string message;
  std::optional<Error> cause;
};

Error::Ref::Ref(const Ref& other) noexcept : state_(other.state_) {
  if (state_ != nullptr) state_->references.fetch_add(1, std::memory_order_relaxed);
}

Error::Ref::~Ref() {
  if (state_ != nullptr && state_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete state_;
  }
}

Error::Error(Code code, std::string message)
    : state_(new State(code, std::move(message), std::nullopt)) {}

Error::Error(Code code, std::string message, Error cause)
    : state_(new State(code, std::move(message), std::move(cause))) {}

Code Error::code() const noexcept { return state_->code; }

const std::string& Error::message() const noexcept { return state_->message; }

const Error* Error::cause() const noexcept { return state_->cause ? &*state_->cause : nullptr; }

std::string Error::to_string() const {
  std::string text = message();
  for (const Error* below = cause(); below != nullptr; below = below->cause()) {
    text += ": ";
    text += below->message();
  }
  return text;
}

std::string_view code_name(Code code) {
  switch (code) {
    case Code::io:
      return "io";
    case Code::corruption:
      return "corruption";
    case Code::conflict:
      return "conflict";
    case Code::busy:
      return "busy";
    case Code::timeout:
      return "timeout";
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::not_supported:
      return "not_supported";
    case Code::quota:
      return "quota";
    case Code::unavailable:
      return "unavailable";
    case Code::closed:
      return "closed";
    case Code::authentication:
      return "authentication";
  }
  return "unknown";
}

}  // namespace strata
