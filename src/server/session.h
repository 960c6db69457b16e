// Session: what the server knows of one client, apart from its socket.
//
// Threads: its I/O thread; other threads read what is atomic, and the names under the mutex
//          (CLIENT LIST, CLIENT KILL).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "server/reply.h"

namespace strata::server {

class Instance;

enum class ReplyMode : std::uint8_t { on, off, skip_next, skip };

class Session {
 public:
  Session(Instance& instance, std::uint64_t id) : instance(instance), id(id) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Instance& instance;
  const std::uint64_t id;

  // Constant after the connection was accepted.
  std::string address;        ///< of the client: "127.0.0.1:5000", or the socket's path and ":0"
  std::string local_address;  ///< of the server
  int descriptor = -1;
  bool unix_socket = false;
  std::int64_t created_ms = 0;
  unsigned loop = 0;  ///< index of its I/O thread
  /// Has bytes sent behind what is on its way (MONITOR, later pub/sub). From any thread, while the
  /// session is among the Clients.
  std::function<void(std::shared_ptr<const Bytes>)> deliver;
  /// Makes its thread look at `kill`. As deliver.
  std::function<void()> poke;

  // Changed by commands, on the session's own thread; read from any.
  std::atomic<int> database{0};
  std::atomic<int> protocol{2};
  std::atomic<bool> monitoring{false};
  std::atomic<bool> no_evict{false};
  std::atomic<bool> no_touch{false};
  std::atomic<bool> blocked{false};
  std::atomic<bool> authenticated{false};
  std::atomic<std::int64_t> last_command_ms{0};
  std::atomic<std::uint64_t> query_bytes{0};       ///< in the query buffer
  std::atomic<std::uint64_t> output_bytes{0};      ///< on their way to the client
  std::atomic<const void*> last_command{nullptr};  ///< a CommandSpec
  std::atomic<std::uint64_t> commands{0};

  /// Set from any thread: the connection closes at the next chance.
  std::atomic<bool> kill{false};
  /// Set by QUIT, CLIENT KILL of itself and protocol errors: close once the output is sent.
  bool close_after_reply = false;
  ReplyMode reply_mode = ReplyMode::on;

  std::string name() const {
    const base::MutexLock lock(mutex_);
    return name_;
  }
  void set_name(std::string name) {
    const base::MutexLock lock(mutex_);
    name_ = std::move(name);
  }
  /// "lib-name" and "lib-ver" of CLIENT SETINFO.
  std::string library(bool version) const {
    const base::MutexLock lock(mutex_);
    return version ? library_version_ : library_name_;
  }
  void set_library(bool version, std::string text) {
    const base::MutexLock lock(mutex_);
    (version ? library_version_ : library_name_) = std::move(text);
  }
  const Encoder& encoder() const {
    return protocol.load(std::memory_order_relaxed) == 3 ? resp3() : resp2();
  }

 private:
  mutable base::Mutex mutex_;
  std::string name_ STRATA_GUARDED_BY(mutex_);
  std::string library_name_ STRATA_GUARDED_BY(mutex_);
  std::string library_version_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata::server
