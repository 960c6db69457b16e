// Records and prepared batches as the bytes of a checkpoint's blocks.
// Format: docs/formats/memory-checkpoint.md
#pragma once

#include "backends/memory/checkpoint.h"

namespace strata::backends::memory {

void encode_record(Keyspace space, BytesView key, const RecordInfo& info, BytesView value,
                   Bytes& to);
Bytes encode_prepared(BytesView id, const WriteBatch& batch);

/// All records of a payload go to the visitor; says how many. Code::corruption says what is wrong
/// with them, the caller adds where. No record may be newer than `newest`.
Result<std::uint64_t> decode_records(BytesView payload, Version newest, CheckpointVisitor& visitor);
Result<> decode_prepared(BytesView payload, CheckpointVisitor& visitor);

}  // namespace strata::backends::memory
