#include "backends/memory/checkpoint.h"

#include <algorithm>

#include "backends/memory/checkpoint_code.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "io/files.h"

namespace strata::backends::memory {

namespace {

constexpr BytesView kMagic = "STRATAMC";
constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kHeaderBytes = 36;
constexpr std::size_t kBlockHeaderBytes = 16;
constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr std::string_view kFileName = "records.strata";
constexpr std::string_view kUnfinishedName = "records.tmp";

enum BlockKind : std::uint8_t { kRecords = 1, kPrepared = 2, kEnd = 3 };

struct Block {
  std::uint8_t kind = 0;
  Bytes payload;
};

/// Reads blocks one after another and says where it stands.
class BlockReader {
 public:
  BlockReader(io::File& file, std::uint64_t size) : file_(file), size_(size) {}

  Error damaged(std::string_view what) const {
    return {Code::corruption,
            file_.path() + " at byte " + std::to_string(offset_) + ": " + std::string(what)};
  }

  Result<Checkpoint> header() {
    if (size_ < kHeaderBytes) return damaged("too short for a checkpoint's header");
    Bytes bytes(kHeaderBytes, '\0');
    STRATA_TRY(io::read_exactly(file_, 0, bytes));
    if (!bytes.starts_with(kMagic)) return damaged("not a checkpoint of the memory backend");
    base::Reader reader(BytesView(bytes).substr(kMagic.size()));
    const std::uint16_t format = reader.u16_le();
    if (format != kFormat) return damaged("unknown format " + std::to_string(format));
    const std::uint16_t flags = reader.u16_le();
    const std::uint32_t reserved = reader.u32_le();
    Checkpoint checkpoint;
    checkpoint.version.value = reader.u64_le();
    checkpoint.time_ms = static_cast<std::int64_t>(reader.u64_le());
    checkpoint.bytes = size_;
    if (base::crc32c(BytesView(bytes).substr(0, kHeaderBytes - 4)) != reader.u32_le()) {
      return damaged("the header's checksum differs");
    }
    if (flags != 0 || reserved != 0) return damaged("unknown flags in the header");
    next_ = kHeaderBytes;
    return checkpoint;
  }

  Result<Block> next() {
    offset_ = next_;
    if (size_ - offset_ < kBlockHeaderBytes) return damaged("the file ends before its end block");
    Bytes header(kBlockHeaderBytes, '\0');
    STRATA_TRY(io::read_exactly(file_, offset_, header));
    base::Reader reader(header);
    Block block;
    block.kind = reader.u8();
    const BytesView reserved = reader.bytes(3);
    const std::uint64_t bytes = reader.u64_le();
    const std::uint32_t crc = reader.u32_le();
    if (bytes > size_ - offset_ - kBlockHeaderBytes) {
      return damaged("a block is longer than the file");
    }
    block.payload.resize(bytes);
    STRATA_TRY(io::read_exactly(file_, offset_ + kBlockHeaderBytes, block.payload));
    const std::uint32_t found =
        base::crc32c_extend(base::crc32c(BytesView(header).substr(0, 12)), block.payload);
    if (found != crc) return damaged("the block's checksum differs");
    if (reserved != BytesView("\0\0\0", 3)) return damaged("unknown flags in a block");
    next_ = offset_ + kBlockHeaderBytes + bytes;
    return block;
  }

  bool at_end() const { return next_ == size_; }

 private:
  io::File& file_;
  std::uint64_t size_;
  std::uint64_t offset_ = 0;  // of what was read last
  std::uint64_t next_ = 0;
};

}  // namespace

Result<CheckpointWriter> CheckpointWriter::create(io::FileSystem& files, const std::string& folder,
                                                  Version version, std::int64_t time_ms) {
  CheckpointWriter writer(files, folder);
  STRATA_LET(writer.file_,
             files.open(io::join_path(folder, kUnfinishedName), io::OpenMode::create_new));
  writer.written_.version = version;
  writer.written_.time_ms = time_ms;
  Bytes header(kMagic);
  base::put_u16_le(header, kFormat);
  base::put_u16_le(header, 0);
  base::put_u32_le(header, 0);
  base::put_u64_le(header, version.value);
  base::put_u64_le(header, static_cast<std::uint64_t>(time_ms));
  base::put_u32_le(header, base::crc32c(header));
  STRATA_TRY(writer.append(header));
  return writer;
}

Result<> CheckpointWriter::append(BytesView bytes) {
  written_.bytes += bytes.size();
  return file_->append(bytes);
}

Result<> CheckpointWriter::write_block(std::uint8_t kind, BytesView payload) {
  Bytes header;
  base::put_u8(header, kind);
  header.append(3, '\0');
  base::put_u64_le(header, payload.size());
  base::put_u32_le(header, base::crc32c_extend(base::crc32c(header), payload));
  STRATA_TRY(append(header));
  return append(payload);
}

Result<> CheckpointWriter::flush_records() {
  if (records_.empty()) return {};
  STRATA_TRY(write_block(kRecords, records_));
  records_.clear();
  return {};
}

Result<> CheckpointWriter::add_record(Keyspace space, BytesView key, const RecordInfo& info,
                                      BytesView value) {
  encode_record(space, key, info, value, records_);
  ++record_count_;
  return records_.size() < kBlockBytes ? Result<>{} : flush_records();
}

Result<> CheckpointWriter::add_prepared(BytesView id, const WriteBatch& batch) {
  STRATA_TRY(flush_records());
  ++prepared_count_;
  return write_block(kPrepared, encode_prepared(id, batch));
}

Result<Checkpoint> CheckpointWriter::finish() {
  STRATA_TRY(flush_records());
  Bytes end;
  base::put_u64_le(end, record_count_);
  base::put_u64_le(end, prepared_count_);
  STRATA_TRY(write_block(kEnd, end));
  STRATA_TRY(file_->sync());
  STRATA_TRY(file_->close());
  STRATA_TRY(
      files_.rename(io::join_path(folder_, kUnfinishedName), io::join_path(folder_, kFileName)));
  STRATA_TRY(files_.sync_directory(folder_));
  return written_;
}

Result<Checkpoint> read_checkpoint(io::FileSystem& files, const std::string& folder,
                                   CheckpointVisitor& visitor) {
  STRATA_LET(const auto file, files.open(io::join_path(folder, kFileName), io::OpenMode::read));
  STRATA_LET(const std::uint64_t size, file->size());
  BlockReader blocks(*file, size);
  STRATA_LET(const Checkpoint checkpoint, blocks.header());
  std::uint64_t records = 0;
  std::uint64_t prepared = 0;
  while (true) {
    STRATA_LET(const Block block, blocks.next());
    switch (block.kind) {
      case kRecords: {
        const auto decoded = decode_records(block.payload, checkpoint.version, visitor);
        if (!decoded) return blocks.damaged(decoded.error().message());
        records += *decoded;
        break;
      }
      case kPrepared: {
        const auto decoded = decode_prepared(block.payload, visitor);
        if (!decoded) return blocks.damaged(decoded.error().message());
        ++prepared;
        break;
      }
      case kEnd: {
        base::Reader reader(block.payload);
        const bool right = reader.u64_le() == records && reader.u64_le() == prepared;
        if (!right || !reader.finished()) return blocks.damaged("the end block counts otherwise");
        if (!blocks.at_end()) return blocks.damaged("bytes behind the end block");
        return checkpoint;
      }
      default:
        return blocks.damaged("unknown kind of block " + std::to_string(block.kind));
    }
  }
}

}  // namespace strata::backends::memory
