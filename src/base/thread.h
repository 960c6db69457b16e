// Thread: a named thread that is joined at the latest by its end.
//
// Always: it takes no signals (an embedder's handlers run on the embedder's threads), and whoever
//         owns it waits for it.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "strata/result.h"

namespace strata::base {

class Thread {
 public:
  /// No thread.
  Thread() noexcept = default;
  /// Runs `body`, which must not throw. `name` is shown by the system's tools, its first 15 bytes.
  /// Code::unavailable when the system gives no thread.
  static Result<Thread> start(const std::string& name, std::function<void()> body);

  Thread(Thread&&) noexcept = default;
  /// Joins what this was before.
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }

  /// Waits until `body` has returned. Nothing where there is no thread.
  void join() noexcept;
  bool joinable() const noexcept { return thread_.joinable(); }

 private:
  explicit Thread(std::thread thread) noexcept : thread_(std::move(thread)) {}

  std::thread thread_;
};

}  // namespace strata::base
