#include "backends/hybridlog/segment.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "io/files.h"

namespace strata::backends::hybridlog {

namespace {

constexpr BytesView kHeaderMagic = "STRATAHL";
constexpr BytesView kTrailerMagic = "STRATAHE";
constexpr std::uint16_t kSegmentFormat = 1;
constexpr std::size_t kHeaderUsed = 72;
constexpr std::size_t kTrailerBytes = 32;

std::uint64_t units_of(std::uint64_t bytes) { return (bytes + kUnitBytes - 1) / kUnitBytes; }

Bytes header_of(const StoreId& store, std::uint64_t number, std::uint64_t first) {
  Bytes bytes(kHeaderMagic);
  base::put_u16_le(bytes, kSegmentFormat);
  base::put_u16_le(bytes, 0);           // reserved
  base::put_u32_le(bytes, kUnitBytes);  // bytes a checksum covers
  bytes.append(reinterpret_cast<const char*>(store.bytes), sizeof(store.bytes));
  base::put_u64_le(bytes, number);
  base::put_u64_le(bytes, first);
  base::put_u32_le(bytes, 0);  // encryption key id
  base::put_u32_le(bytes, 0);  // log stream
  bytes.append(12, '\0');      // nonce
  base::put_u32_le(bytes, base::crc32c(bytes));
  STRATA_CHECK(bytes.size() == kHeaderUsed);
  return bytes;
}

Error damaged_segment(const std::string& path, const std::string& what) {
  return Error(Code::corruption, path + ": " + what);
}

bool zeros(BytesView bytes) { return bytes.find_first_not_of('\0') == BytesView::npos; }

}  // namespace

void UnitBuffer::Free::operator()(char* at) const noexcept {
  ::operator delete(at, std::align_val_t{kUnitBytes});
}

void UnitBuffer::reserve(std::size_t bytes) {
  if (bytes <= capacity_) return;
  const std::size_t rounded = units_of(bytes) * kUnitBytes;
  data_.reset(static_cast<char*>(::operator new(rounded, std::align_val_t{kUnitBytes})));
  capacity_ = rounded;
}

std::string Segment::name_of(std::uint64_t number) { return fmt::format("{:012}.segment", number); }

Result<std::shared_ptr<Segment>> Segment::create(io::FileSystem& files, const std::string& folder,
                                                 const StoreId& store, std::uint64_t number,
                                                 std::uint64_t first,
                                                 std::uint64_t data_bytes_max) {
  std::shared_ptr<Segment> segment(new Segment(files));
  segment->path_ = io::join_path(folder, name_of(number));
  segment->number_ = number;
  segment->first_ = first;
  segment->store_ = store;
  segment->crcs_.resize(units_of(data_bytes_max));
  STRATA_LET(segment->file_, files.open_direct(segment->path_, io::OpenMode::truncate));
  UnitBuffer unit;
  unit.reserve(kUnitBytes);
  const Bytes header = header_of(store, number, first);
  std::memset(unit.data(), 0, kUnitBytes);
  std::memcpy(unit.data(), header.data(), header.size());
  const Result<> written = segment->file_->pwrite(0, {unit.data(), kUnitBytes});
  if (!written) {
    static_cast<void>(files.remove(segment->path_).has_value());
    return written.error();
  }
  return segment;
}

Result<> Segment::write(std::uint64_t offset, std::span<const char> bytes) {
  STRATA_DCHECK(offset % kUnitBytes == 0);
  STRATA_DCHECK(bytes.size() % kUnitBytes == 0);
  STRATA_CHECK(!sealed_);
  if (!failure_) return failure_;
  STRATA_TRY(file_->pwrite(kSegmentHeaderBytes + offset, {bytes.data(), bytes.size()}));
  for (std::size_t at = 0; at < bytes.size(); at += kUnitBytes) {
    const std::uint64_t unit = (offset + at) / kUnitBytes;
    STRATA_CHECK(unit < crcs_.size());
    crcs_[unit] = base::crc32c({bytes.data() + at, kUnitBytes});
  }
  data_bytes_.store(offset + bytes.size(), std::memory_order_release);
  return {};
}

Result<> Segment::seal(std::uint64_t data_bytes) {
  const std::uint64_t units = units_of(data_bytes);
  STRATA_CHECK(units <= crcs_.size());
  if (!failure_) return failure_;
  Bytes end;
  for (std::uint64_t i = 0; i < units; ++i) base::put_u32_le(end, crcs_[i]);
  const std::uint32_t table_crc = base::crc32c(end);
  Bytes trailer(kTrailerMagic);
  base::put_u64_le(trailer, data_bytes);
  base::put_u32_le(trailer, table_crc);
  base::put_u64_le(trailer, number_);
  base::put_u32_le(trailer, base::crc32c(trailer));
  STRATA_CHECK(trailer.size() == kTrailerBytes);
  UnitBuffer buffer;
  const std::size_t bytes = units_of(end.size() + kTrailerBytes) * kUnitBytes;
  buffer.reserve(bytes);
  std::memset(buffer.data(), 0, bytes);
  std::memcpy(buffer.data(), end.data(), end.size());
  std::memcpy(buffer.data() + end.size(), trailer.data(), trailer.size());
  STRATA_TRY(file_->pwrite(kSegmentHeaderBytes + units * kUnitBytes, {buffer.data(), bytes}));
  failure_ = sync();
  if (!failure_) return failure_;
  data_bytes_.store(data_bytes, std::memory_order_release);
  sealed_ = true;
  return {};
}

Result<> Segment::sync() {
  STRATA_TRY(file_->sync());
  return files_.sync_directory(io::parent_path(path_));
}

Result<std::shared_ptr<Segment>> Segment::open(io::FileSystem& files, const std::string& folder,
                                               const StoreId& store, std::uint64_t number,
                                               std::uint64_t first, std::uint64_t data_bytes) {
  std::shared_ptr<Segment> segment(new Segment(files));
  segment->path_ = io::join_path(folder, name_of(number));
  segment->number_ = number;
  segment->first_ = first;
  segment->store_ = store;
  STRATA_LET(const auto there, files.stat(segment->path_));
  if (!there) {
    return damaged_segment(segment->path_, "a segment that the manifest names is missing");
  }
  STRATA_LET(segment->file_, files.open_direct(segment->path_, io::OpenMode::read));
  UnitBuffer unit;
  unit.reserve(kUnitBytes);
  STRATA_TRY(io::read_exactly(*segment->file_, 0, {unit.data(), kUnitBytes}));
  const BytesView header(unit.data(), kHeaderUsed);
  if (header.substr(0, 8) != kHeaderMagic)
    return damaged_segment(segment->path_, "is no log segment");
  if (base::load_u16_le(header.data() + 8) > kSegmentFormat) {
    return Error(Code::not_supported,
                 segment->path_ + ": was written by a later version of Strata");
  }
  const Bytes expected = header_of(store, number, first);
  if (header != expected) {
    const bool whole = base::load_u32_le(header.data() + kHeaderUsed - 4) ==
                       base::crc32c(header.substr(0, kHeaderUsed - 4));
    return damaged_segment(segment->path_,
                           whole ? "belongs to another store or another place in the log"
                                 : "checksum of the header differs");
  }
  if (!zeros({unit.data() + kHeaderUsed, kUnitBytes - kHeaderUsed})) {
    return damaged_segment(segment->path_, "what is reserved behind the header is not zero");
  }
  STRATA_TRY(segment->read_trailer(data_bytes));
  segment->sealed_ = true;
  return segment;
}

Result<> Segment::read_trailer(std::uint64_t data_bytes) {
  const std::uint64_t units = units_of(data_bytes);
  const std::size_t used = units * 4 + kTrailerBytes;
  const std::size_t bytes = units_of(used) * kUnitBytes;
  STRATA_LET(const std::uint64_t size, file_->size());
  const std::uint64_t wanted = kSegmentHeaderBytes + units * kUnitBytes + bytes;
  if (size != wanted) {
    return damaged_segment(path_, fmt::format("has {} bytes instead of {}", size, wanted));
  }
  UnitBuffer buffer;
  buffer.reserve(bytes);
  STRATA_TRY(
      io::read_exactly(*file_, kSegmentHeaderBytes + units * kUnitBytes, {buffer.data(), bytes}));
  const BytesView table(buffer.data(), units * 4);
  const BytesView trailer(buffer.data() + table.size(), kTrailerBytes);
  const char* const at = trailer.data();
  if (trailer.substr(0, 8) != kTrailerMagic ||
      base::load_u32_le(at + 28) != base::crc32c(trailer.substr(0, 28)) ||
      base::load_u64_le(at + 8) != data_bytes || base::load_u64_le(at + 20) != number_ ||
      base::load_u32_le(at + 16) != base::crc32c(table) ||
      !zeros({buffer.data() + used, bytes - used})) {
    return damaged_segment(path_, "its table of checksums is damaged");
  }
  crcs_.resize(units);
  for (std::uint64_t i = 0; i < units; ++i) {
    crcs_[i] = base::load_u32_le(table.data() + i * 4);
  }
  data_bytes_.store(data_bytes, std::memory_order_release);
  return {};
}

Result<> Segment::check(std::uint64_t offset, std::span<const char> units) const {
  STRATA_DCHECK(offset % kUnitBytes == 0);
  for (std::size_t at = 0; at + kUnitBytes <= units.size(); at += kUnitBytes) {
    const std::uint64_t unit = (offset + at) / kUnitBytes;
    if (unit >= crcs_.size() || base::crc32c({units.data() + at, kUnitBytes}) != crcs_[unit]) {
      return damaged_segment(path_,
                             fmt::format("checksum differs at byte {} (log address {})",
                                         kSegmentHeaderBytes + offset + at, first_ + offset + at));
    }
  }
  return {};
}

std::uint64_t Segment::bytes_on_disk() const noexcept {
  const std::uint64_t units = units_of(data_bytes());
  const std::uint64_t table = sealed_ ? units_of(units * 4 + kTrailerBytes) * kUnitBytes : 0;
  return kSegmentHeaderBytes + units * kUnitBytes + table;
}

}  // namespace strata::backends::hybridlog
