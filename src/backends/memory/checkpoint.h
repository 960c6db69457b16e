// A checkpoint as a file in a folder: written block by block, read whole or not at all.
//
// Format:  docs/formats/memory-checkpoint.md
// Always:  what is in a checkpoint folder under its final name is whole; a reader hands out nothing
//          of a block whose checksum differs.
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>

#include "backends/memory/version_store.h"
#include "io/file_system.h"
#include "strata/batch.h"
#include "strata/capabilities.h"

namespace strata::backends::memory {

class CheckpointWriter {
 public:
  /// In a folder that is there.
  static Result<CheckpointWriter> create(io::FileSystem& files, const std::string& folder,
                                         Version version, std::int64_t time_ms);
  Result<> add_record(Keyspace space, BytesView key, const RecordInfo& info, BytesView value);
  Result<> add_prepared(BytesView id, const WriteBatch& batch);
  /// Makes it whole and durable under its final name.
  Result<Checkpoint> finish();

 private:
  CheckpointWriter(io::FileSystem& files, std::string folder) : files_(files), folder_(folder) {}
  Result<> write_block(std::uint8_t kind, BytesView payload);
  Result<> flush_records();
  Result<> append(BytesView bytes);

  io::FileSystem& files_;
  std::string folder_;
  std::unique_ptr<io::File> file_;
  Checkpoint written_;
  Bytes records_;
  std::uint64_t record_count_ = 0;
  std::uint64_t prepared_count_ = 0;
};

/// What a reader finds; views are valid during the call.
class CheckpointVisitor {
 public:
  virtual void record(Keyspace space, BytesView key, Revision revision) = 0;
  virtual void prepared(BytesView id, WriteBatch batch) = 0;

 protected:
  ~CheckpointVisitor() = default;
};

/// Reads all of it; on an error, the visitor has seen some blocks that were good.
Result<Checkpoint> read_checkpoint(io::FileSystem& files, const std::string& folder,
                                   CheckpointVisitor& visitor);

}  // namespace strata::backends::memory
