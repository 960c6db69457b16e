// Step: how one run of a handler ended; Fetched<T>: what a read gave, or why there is nothing yet.
#pragma once

#include <cstdint>
#include <utility>

namespace strata::server {

enum class Step : std::uint8_t {
  done,    ///< the reply is written, the batch is complete
  wait,    ///< something must come first; the handler will be run again from its beginning
  failed,  ///< the store said no; the view knows why and the executor replies
};

template <class T>
class [[nodiscard]] Fetched {
 public:
  Fetched(T value) : value_(std::move(value)) {}  // NOLINT: implicit, as Result
  Fetched(Step why) : step_(why) {}               // NOLINT
  bool ready() const noexcept { return step_ == Step::done; }
  Step step() const noexcept { return step_; }
  T& value() noexcept { return value_; }

 private:
  T value_{};
  Step step_ = Step::done;
};

}  // namespace strata::server

/// Declares `declaration` from a Fetched, or leaves the handler with its step.
#define STRATA_FETCH(declaration, expression)                       \
  auto STRATA_CONCAT(strata_fetch_, __LINE__) = (expression);       \
  if (!STRATA_CONCAT(strata_fetch_, __LINE__).ready()) [[unlikely]] \
    return STRATA_CONCAT(strata_fetch_, __LINE__).step();           \
  declaration = std::move(STRATA_CONCAT(strata_fetch_, __LINE__).value())
