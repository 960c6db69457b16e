// View: what one operation reads through: the present, or a snapshot.
//
// A record that was fetched stays in the view while its operation is run again after a wait, so a
// run never waits twice for the same read. The keys that the command declares are fetched together
// at the first look at one of them: one mget, hence one view of all.
//
// Always: what a read gave is noted with its version; a commit that follows requires all of it to
//         be unchanged. So a handler that reads and then writes is atomic without any lock.
// Threads: one at a time (a completion from the engine's threads only sets a flag and wakes).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "server/step.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::server {

/// One record as an operation sees it.
struct Record {
  RecordInfo info;
  Value value;  ///< empty if only the info was asked for
};

/// Of a key that is there, and whose value is of another type. `record` may be null.
inline bool is_no_string(const Record* record) noexcept {
  return record != nullptr && record->info.type != ValueType::string;
}

class View final : private ReadCompletion {
 public:
  explicit View(Engine& engine);
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // For handlers. Pointers are valid until the end of the run; null: no such key.
  /// The record with its value.
  Fetched<Record*> get(const KeyRef& key) { return look(key, false); }
  Fetched<Record*> get(BytesView key) { return look({space_, key}, false); }
  /// Only its info: cheap for large values.
  Fetched<Record*> info(const KeyRef& key) { return look(key, true); }
  Fetched<Record*> info(BytesView key) { return look({space_, key}, true); }
  /// Some keys of a keyspace in the engine's order (Engine::scan_some). Not noted for commits.
  Fetched<bool> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                          ScanPage& page);
  /// Keys in a keyspace.
  Fetched<std::uint64_t> count(Keyspace space);
  /// The keyspace of the session's database.
  Keyspace space() const noexcept { return space_; }
  /// Wall time of this run in ms, the same for its whole length.
  std::int64_t now_ms() const noexcept { return now_ms_; }
  /// Ends a run with the store's refusal.
  Step fail(Error error);

  // For the executor.
  /// Begins an operation. `declared` is read when the handler first looks at one of them; it must
  /// stay valid until finish().
  void begin(Keyspace space, std::int64_t now_ms, std::span<const KeyRef> declared,
             const Snapshot* at = nullptr);
  /// Forgets what was read (somebody else was faster), keeps the declared keys.
  void forget(Keyspace space, std::int64_t now_ms, std::span<const KeyRef> declared);
  void finish();
  /// Adds a condition for everything that was read.
  void require(WriteBatch& batch) const;
  /// How many of the records that were read exist, and how many do not.
  std::pair<std::uint64_t, std::uint64_t> hits_and_misses() const noexcept;
  const std::optional<Error>& error() const noexcept { return error_; }
  /// Whether a read is under way; `wake` is called once, from any thread, when it has ended. The
  /// operation must then be run again. Set before the first run.
  bool waiting() const noexcept { return waiting_; }
  void on_wake(std::function<void()> wake) { wake_ = std::move(wake); }
  /// Takes the answers of the read that has ended; to be called on the operation's own thread.
  void resume();

 private:
  struct Slot {
    Read read;
    Bytes key;  // own copy: `read.key` points here
    Record record;
    bool present = false;
    bool info_only = false;
  };
  Fetched<Record*> look(const KeyRef& key, bool info_only);
  Slot* slot_of(const KeyRef& key, bool info_only);
  Slot& add(const KeyRef& key, bool info_only);
  Fetched<bool> fetch(std::size_t from, bool info_only);
  void take(std::size_t from);
  void complete(Result<> result) noexcept override;

  Engine& engine_;
  AsyncReads* const async_;
  Keyspace space_{};
  std::int64_t now_ms_ = 0;
  const Snapshot* at_ = nullptr;
  std::span<const KeyRef> declared_;
  bool declared_read_ = false;
  // Slots are kept between operations, so that their buffers are.
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Read> reads_;  // of the fetch under way
  std::size_t used_ = 0;
  std::size_t pending_from_ = 0;
  bool waiting_ = false;
  std::optional<Result<>> pending_result_;  // written by complete() before wake_
  std::optional<Error> error_;
  std::function<void()> wake_;
};

}  // namespace strata::server
