// Operation: one command of one session, from its arguments to its complete reply. This is the
// execution model (docs/adr/0003-one-execution-model.md): a handler reads through the view,
// collects its effects in one batch and writes its reply; the batch is committed once, on the
// condition that nothing of what was read has changed. A handler whose read must wait, or whose
// commit came too late, is simply run again from its beginning.
//
// Always: no lock and no engine resource is held while an operation waits; a reply leaves only
//         after its commit; of a run that did not count nothing is left.
// Threads: the session's I/O thread; `wake` is called from any.
#pragma once

#include <functional>
#include <vector>

#include "server/command_table.h"
#include "server/instance.h"

namespace strata::server {

class Operation {
 public:
  /// `wake` is called, from any thread, once for each wait of a read that has ended; resume() must
  /// follow on the session's own thread.
  Operation(Instance& instance, Session& session, OutputBuffer& output, std::function<void()> wake);

  /// Begins; true: the reply is complete. False: it waits, and `arguments` must stay valid.
  bool start(Arguments arguments);
  /// Goes on after `wake`, or when wake_at_ms() has come. As start().
  bool resume();
  /// Gives up a wait for time (the client is gone or was unblocked); never while reading().
  void abandon();

  /// Whether a read of the engine is under way: the operation may not be destroyed until `wake`.
  bool reading() const noexcept { return view_.waiting(); }
  /// Wall time at which a waiting handler wants to be run again; 0: only after `wake`.
  std::int64_t wake_at_ms() const noexcept { return call_ ? call_->wait_until_ms : 0; }

 private:
  static constexpr std::uint64_t kBatchBytesKept = 256 * 1024;

  const Command* admit(Arguments arguments);
  bool run();
  bool commit();
  void declare_keys();
  void finish(bool counted);
  void apply_reply_mode();

  Instance& instance_;
  Session& session_;
  View view_;
  WriteBatch batch_;
  Reply reply_;
  const Command* command_ = nullptr;
  Arguments arguments_;
  std::optional<Call> call_;
  std::vector<KeyAt> key_places_;
  std::vector<KeyRef> keys_;
  std::int64_t run_ns_ = 0;  // of all runs, without the waits between them
  unsigned attempts_ = 0;
};

/// The error line of a store's refusal: "ERR ..." with the message, or Redis's own word for it.
std::string error_line(const Error& error);

}  // namespace strata::server
