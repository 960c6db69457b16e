// FileEngine: the contract over Records: one file a value, for stores that people look into.
//
// Threads: as Engine. Reads take no lock unless writers of the same key overtake them again and
//          again; writers of keys under the same of 256 folders wait for each other.
// Owns:    the folder's content. Borrows: FileSystem and Clock, which must outlive it.
// Lacks:   key order (folders are by hash) and batches of more than one effect. A delete_range may
//          be seen, and survive a crash, in part.
// Cost:    a read opens two files; count() walks through a keyspace once in its life, and not at
//          all where the store was closed and no record expires.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/file/meta.h"
#include "backends/file/records.h"
#include "backends/file/space.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "strata/backend.h"
#include "strata/capabilities.h"
#include "strata/engine.h"

namespace strata::backends::file {

class FileEngine final : public Engine, public AsyncReads {
 public:
  struct Options {
    std::string root;
    bool read_only = false;
    bool create = true;
    Durability durability = Durability::interval;
    std::int64_t interval_ms = 1000;
    std::size_t read_threads = 4;  ///< of asynchronous reads
  };
  static Result<std::unique_ptr<Engine>> open(io::FileSystem& files, const base::Clock& clock,
                                              Options options);
  ~FileEngine() override;

  // Engine
  Result<std::optional<RecordInfo>> get(const KeyRef& key, Value& value,
                                        const ReadOptions& options) override;
  Result<> mget(std::span<Read> reads, const ReadOptions& options) override;
  Result<Commit> commit(const WriteBatch& batch, const WriteOptions& options) override;
  Result<> scan_some(Keyspace space, Bytes& cursor, const CursorOptions& options,
                     ScanPage& page) override;
  Result<std::uint64_t> count(Keyspace space) override;
  Result<Maintenance> maintain(std::uint32_t records) override;
  Stats stats() override;
  Limits limits() const override;
  Result<> close() override;
  // AsyncReads
  std::optional<Result<>> start_mget(std::span<Read> reads, const ReadOptions& options,
                                     ReadCompletion& then) override;

 protected:
  Capability* find(CapabilityId id) noexcept override;

 private:
  FileEngine(io::FileSystem& files, const base::Clock& clock, Options options, bool clean);
  Result<> load(const std::optional<Meta>& meta);

  Result<> check_open() const;
  Result<> check_writable() const;
  Space* find_space(Keyspace space);
  Space& make_space(Keyspace space);
  std::vector<Space*> all_spaces();
  /// Without a keyspace of that number there is no such record: nothing.
  std::optional<RecordId> locate(const KeyRef& key);

  // file_write.cc
  Result<std::optional<std::size_t>> failed_condition(const WriteBatch& batch,
                                                      const Stripes::Guard& guard);
  Result<> settle_conditions(const WriteBatch& batch, const Stripes::Guard& guard);
  Result<> apply(const Effect& effect, Version version, Durability durability,
                 const Stripes::Guard& guard);
  Result<> put(const RecordId& id, const Records::Before& before, BytesView key, BytesView value,
               const RecordAttributes& attributes, Version version, Durability durability,
               const Stripes::Guard& guard);
  Result<> patch(const RecordId& id, const Effect& effect, Version version, Durability durability,
                 const Stripes::Guard& guard);
  Result<> expire(const RecordId& id, const Effect& effect, Version version, Durability durability,
                  const Stripes::Guard& guard);
  Result<> remove_range(Space& space, const Range& range, unsigned top, Durability durability,
                        const Stripes::Guard& guard);
  bool is_expired(const RecordAttributes& attributes) const;

  // file_scan.cc
  class Walk;
  Result<> scan_leaf(Space& space, Leaf leaf, Walk& walk);
  /// Goes on with the first walk through a keyspace's leaves, which puts each in order and counts
  /// it, until about `records` records were looked at. Gives whether it is done.
  Result<bool> survey(Space& space, std::uint64_t records);
  Result<std::uint64_t> survey_leaf(Space& space, Leaf leaf, const Stripes::Guard& guard);
  Result<std::uint64_t> remove_expired(Space& space, std::uint64_t records);

  io::FileSystem& files_;
  const base::Clock& clock_;
  const Options options_;
  const bool clean_;  ///< the store was closed when it was opened
  MetaFile meta_;
  Records records_;
  Stripes stripes_;
  bool loaded_ = false;                    // set once, before anyone else sees the engine
  std::atomic<bool> closed_{false};        // release in close(), acquire in check_open()
  std::atomic<std::uint64_t> orphans_{0};  // relaxed: a figure
  std::atomic<std::uint64_t> damaged_{0};  // relaxed: a figure

  base::Mutex spaces_mutex_;
  std::map<std::uint32_t, std::unique_ptr<Space>> spaces_ STRATA_GUARDED_BY(spaces_mutex_);

  base::ThreadPool readers_;  // last: its tasks use all of the above
};

}  // namespace strata::backends::file
