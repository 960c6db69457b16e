// Engine: the key-value contract. Everything that keeps bytes implements it, every feature is
// written over it, and tests/conformance states it as tests.
//
// Threads: every member may be called from any number of threads at once, but close().
// Always:  a write that commit() reported is seen by every read that starts afterwards, and
//          survives what its durability says; an expired record is invisible to every read; bytes
//          whose checksum fails are an error (Code::corruption), never an answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "strata/batch.h"
#include "strata/bytes.h"
#include "strata/export.h"
#include "strata/function_ref.h"
#include "strata/record.h"
#include "strata/result.h"
#include "strata/scan.h"

namespace strata {

class Snapshot;

/// When an acknowledged write is safe from a crash of the machine.
enum class Durability : std::uint8_t {
  store_default,  ///< what the store was opened with
  none,           ///< whenever the operating system gets to it
  interval,       ///< within the store's interval (one second unless set)
  commit          ///< before commit() returns
};

struct ReadOptions {
  const Snapshot* at = nullptr;  ///< null: the present; else a snapshot of the same engine
  bool info_only = false;        ///< the value is not fetched; value_bytes is still right
};
inline constexpr ReadOptions kPlainRead;

/// One question of a batch of reads, and its answer. Reuse it: the Value keeps its buffer.
struct Read {
  KeyRef key;
  std::optional<RecordInfo> info;  ///< nothing: there is no such record
  Value value;
};

struct WriteOptions {
  /// An engine refuses (not_supported) what it cannot keep.
  Durability durability = Durability::store_default;
};
inline constexpr WriteOptions kPlainWrite;

/// What became of a batch.
struct Commit {
  Version version;                    ///< of every record it wrote; 0 if it was refused
  std::optional<std::size_t> failed;  ///< index of the first condition that did not hold
  bool applied() const noexcept { return !failed.has_value(); }
};

/// The record as an update function finds it.
struct Current {
  std::optional<RecordInfo> info;  ///< nothing: absent
  BytesView value;
};

/// What an update function wants.
struct Update {
  enum class Action : std::uint8_t { keep, put, remove };
  Action action = Action::keep;
  RecordAttributes attributes;
  Bytes value;
};

/// May run more than once, so it has no effect but on `update`, which is fresh at each run. An
/// error it returns ends the update and comes back to the caller.
using UpdateFunction = FunctionRef<Result<>(const Current& current, Update& update)>;

struct Limits {
  std::uint64_t key_bytes_min = 0;
  std::uint64_t key_bytes_max = kKeyBytesMax;
  std::uint64_t value_bytes_max = kValueBytesMax;
  std::uint64_t batch_effects_max = 65536;
  std::uint64_t batch_bytes_max = 1024ull * 1024 * 1024;
  std::uint64_t snapshot_ms_max = 0;               ///< how long a snapshot lives; 0: no bound
  Durability durability_max = Durability::commit;  ///< the strongest that can be asked for
  friend bool operator==(const Limits&, const Limits&) = default;
};

/// Figures of an engine; what one does not know is 0. `more` holds its own, by name.
struct Stats {
  std::uint64_t keys = 0;          ///< visible records of all user keyspaces
  std::uint64_t bytes_live = 0;    ///< keys and values of visible records, estimated
  std::uint64_t bytes_memory = 0;  ///< memory the engine holds
  std::uint64_t bytes_disk = 0;    ///< disk it occupies
  std::uint64_t snapshots = 0;     ///< open ones
  struct Figure {
    std::string name;
    double value;
  };
  std::vector<Figure> more;
};

/// What one step of maintenance did.
struct Maintenance {
  std::uint64_t expired = 0;  ///< records whose space came back
  bool more = false;          ///< there is more to do right now
};

struct CursorOptions {
  std::uint32_t count = 10;  ///< how many records to look at, about
  bool keys_only = true;
  BytesView prefix;  ///< only keys that start with it (an engine may use it to skip)
  const Snapshot* at = nullptr;
};

enum class CapabilityId : std::uint8_t {
  ordered,
  atomic_batch,
  snapshots,
  transactions,
  persistence,
  async_reads,
  prepare,
  change_feed,
  watch
};
inline constexpr std::size_t kCapabilityCount = 9;
STRATA_API std::string_view capability_name(CapabilityId id);

/// Base of all optional interfaces (strata/capabilities.h). Never owned through this pointer.
class STRATA_API Capability {
 public:
  Capability() = default;
  Capability(const Capability&) = delete;
  Capability& operator=(const Capability&) = delete;

 protected:
  ~Capability() = default;
};

class STRATA_API Engine {
 public:
  Engine() = default;
  virtual ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// One record: its bytes go into `value` (the caller's; used again it allocates nothing; `key`
  /// must not borrow from it).
  /// Nothing if there is none, and then `value` is empty.
  virtual Result<std::optional<RecordInfo>> get(const KeyRef& key, Value& value,
                                                const ReadOptions& options = kPlainRead);
  /// Many records, in one view: no batch (of an AtomicBatch engine) is seen in part. A key may
  /// stand in it twice. On an error the answers are unspecified.
  virtual Result<> mget(std::span<Read> reads, const ReadOptions& options = kPlainRead) = 0;
  /// Checks the conditions and applies the effects as one (without AtomicBatch: only of batches
  /// with one effect; engines refuse others). Refused conditions are an answer, not an error.
  /// After Code::unavailable or Code::timeout it may have been applied or not (a remote store was
  /// lost on the way); after any other error it was not.
  virtual Result<Commit> commit(const WriteBatch& batch,
                                const WriteOptions& options = kPlainWrite) = 0;
  /// Reads, asks `function`, and writes what it says, as one step that nobody comes between.
  virtual Result<Commit> update(const KeyRef& key, UpdateFunction function,
                                const WriteOptions& options = kPlainWrite);
  /// Some records in the engine's own order, from `cursor` (empty: the beginning), which is moved
  /// on and is empty again at the end. A record that is there from the first call to the last is
  /// returned at least once. The cursor needs nothing kept in the engine; one that is not of this
  /// engine is an invalid_argument. Cost per call: in the order of options.count.
  virtual Result<> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                             ScanPage& page) = 0;
  /// The visible records of a keyspace, exactly (where an option of the engine gives that up, its
  /// help says so). Never linear in their number.
  virtual Result<std::uint64_t> count(Keyspace space) = 0;

  /// A step of upkeep, about `records` records of work: space of expired records comes back,
  /// interval durability is kept. Whoever owns the engine calls it from time to time (the server
  /// does; an embedded store also lets each commit do a little).
  virtual Result<Maintenance> maintain(std::uint32_t records);
  virtual Stats stats() = 0;
  virtual Limits limits() const = 0;
  /// Looks through the engine's own structures for what cannot be, and says it as Code::corruption.
  /// Linear in the data, and everybody else waits meanwhile: for tests, and when in doubt. An
  /// engine that has nothing to look at finds nothing.
  virtual Result<> check_invariants();
  /// Writes down what must survive and reports what went wrong; afterwards every call fails with
  /// Code::closed. The destructor closes, too, but cannot report. Threads: no call may run.
  virtual Result<> close() = 0;

  /// An optional interface, or null. Valid while the engine lives.
  template <class T>
  T* as() noexcept {
    return static_cast<T*>(find(T::kId));
  }
  /// What as() finds; one line of names, in the order of CapabilityId.
  std::vector<CapabilityId> capabilities();

  /// A put that the engine can do at once, without a batch. Version{}: it cannot, nothing was done,
  /// and a batch is to be committed. put() asks this first. For an engine or layer that has such a
  /// way; the others cannot.
  virtual Version try_put(const KeyRef& key, BytesView value, const RecordAttributes& attributes,
                          const WriteOptions& options);

  // Short forms over the above.
  Result<bool> exists(const KeyRef& key, const ReadOptions& options = kPlainRead);
  Result<Version> put(const KeyRef& key, BytesView value,
                      const RecordAttributes& attributes = kPlainAttributes,
                      const WriteOptions& options = kPlainWrite) {
    const Version version = try_put(key, value, attributes, options);
    if (version != Version{}) return version;
    return put_by_batch(key, value, attributes, options);
  }
  /// Whether it was there is not said; a condition or update() tells.
  Result<Version> remove(const KeyRef& key, const WriteOptions& options = kPlainWrite);

 protected:
  /// The interface as the very type T (`static_cast<Ordered*>(this)`), or null.
  virtual Capability* find(CapabilityId id) noexcept;

 private:
  Result<Version> put_by_batch(const KeyRef& key, BytesView value,
                               const RecordAttributes& attributes, const WriteOptions& options);
};

}  // namespace strata
