#include "backends/hybridlog/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "backends/hybridlog/record_layout.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/quote.h"
#include "io/files.h"

namespace strata::backends::hybridlog {

namespace {

constexpr BytesView kManifestMagic = "STRATAHM";
constexpr BytesView kNameStart = "MANIFEST-";
constexpr std::uint16_t kManifestFormat = 1;
constexpr std::size_t kFormatEnd = 10;  // magic and format: the same in every format
constexpr std::size_t kReservedAfterFormat = 6;
constexpr std::size_t kReservedAfterBits = 1;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kReservedAtEnd = 28;
constexpr std::size_t kHeadBytes = 192;
constexpr std::size_t kSegmentBytes = 16;
constexpr std::size_t kVoidBytes = 24;
constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kBytesMax =
    kHeadBytes + kManifestSegmentsMax * kSegmentBytes + kManifestVoidsMax * kVoidBytes + kCrcBytes;

constexpr unsigned kFrameBitsMin = 12;  // a checksum's unit
constexpr unsigned kIndexBitsMax = 48;
constexpr unsigned kFrameBitsMax = 30;  // offsets in a frame have 32 bits, with room above
constexpr unsigned kSegmentBitsMax = 40;

Error damaged_manifest(const std::string& name, std::string_view what) {
  return {Code::corruption, fmt::format("{} is damaged: {}", name, what)};
}

Error too_new(const std::string& name, std::string_view what) {
  return {Code::not_supported,
          fmt::format("{} was written by a later version of Strata: {}", name, what)};
}

/// What does not fit together, or null.
const char* misfit_of(const Manifest& of) {
  if (of.generation == 0) return "its generation is 0";
  if (of.frame_bits < kFrameBitsMin || of.frame_bits > kFrameBitsMax) return "frames of no size";
  if (of.segment_bits < of.frame_bits || of.segment_bits > kSegmentBitsMax) {
    return "segments of no size";
  }
  if (of.index_bits == 0 || of.index_bits > kIndexBitsMax) return "a hash index of no size";
  if (of.next_segment > (kAddressMask + 1) >> of.segment_bits) return "a log of no length";
  const std::uint64_t end = of.next_segment << of.segment_bits;
  if (of.begin > end) return "the log begins behind its end";
  if (of.clock > kVersionMask || of.version > of.clock) return "its version is above its clock";
  if (of.segments.size() > kManifestSegmentsMax) return "more segments than there can be";
  if (of.voids.size() > kManifestVoidsMax) return "more voids than there can be";
  std::uint64_t next = of.begin >> of.segment_bits;
  for (const ManifestSegment& each : of.segments) {
    if (each.number < next) return "segments out of order or before the log's beginning";
    if (each.number >= of.next_segment) return "a segment behind the log's end";
    if (each.data_bytes == 0 || each.data_bytes > std::uint64_t{1} << of.segment_bits ||
        each.data_bytes % kRecordAlign != 0) {
      return "a segment of no length";
    }
    next = each.number + 1;
  }
  for (const Void& each : of.voids) {
    if (each.from > each.to || each.to > of.clock || each.limit > end) return "a void of no extent";
  }
  return nullptr;
}

/// What stands between the format and the checksum.
Result<Manifest> decode_fields(base::Reader& reader, const std::string& name) {
  const auto zeros = [&reader](std::size_t bytes) {
    return reader.bytes(bytes).find_first_not_of('\0') == BytesView::npos;
  };
  Manifest to;
  bool clean = zeros(kReservedAfterFormat);
  to.compatible = reader.u64_le();
  to.read_only_compatible = reader.u64_le();
  const std::uint64_t incompatible = reader.u64_le();
  to.generation = reader.u64_le();
  const BytesView store = reader.bytes(sizeof(to.store.bytes));
  to.hash_seed = reader.u64_le();
  to.version = reader.u64_le();
  to.clock = reader.u64_le();
  to.log_position = reader.u64_le();
  to.log_life = reader.u64_le();
  to.time_ms = static_cast<std::int64_t>(reader.u64_le());
  to.begin = reader.u64_le();
  to.next_segment = reader.u64_le();
  to.next_extent = reader.u64_le();
  to.frame_bits = reader.u8();
  to.segment_bits = reader.u8();
  to.index_bits = reader.u8();
  clean &= zeros(kReservedAfterBits);
  const std::uint32_t encryption_key = reader.u32_le();
  clean &= zeros(kNonceBytes);
  const std::uint32_t segments = reader.u32_le();
  const std::uint32_t voids = reader.u32_le();
  clean &= zeros(kReservedAtEnd);
  if (!reader.ok()) return damaged_manifest(name, "it is cut short");
  if (incompatible != 0) return too_new(name, fmt::format("features {:#x}", incompatible));
  if (encryption_key != 0) return too_new(name, "it is encrypted");
  if (!clean) return damaged_manifest(name, "what is reserved is not zero");
  if (segments > kManifestSegmentsMax || voids > kManifestVoidsMax ||
      reader.remaining() != segments * kSegmentBytes + voids * kVoidBytes) {
    return damaged_manifest(name, "its lists do not fit its length");
  }
  std::copy(store.begin(), store.end(), to.store.bytes);
  to.segments.resize(segments);
  for (ManifestSegment& each : to.segments) {
    each.number = reader.u64_le();
    each.data_bytes = reader.u64_le();
  }
  to.voids.resize(voids);
  for (Void& each : to.voids) {
    each.from = reader.u64_le();
    each.to = reader.u64_le();
    each.limit = reader.u64_le();
  }
  if (const char* const misfit = misfit_of(to)) return damaged_manifest(name, misfit);
  return to;
}

/// Nothing where manifest_name() gives no such name.
std::optional<std::uint64_t> generation_of(std::string_view name) {
  if (!name.starts_with(kNameStart)) return std::nullopt;
  std::uint64_t generation = 0;
  std::from_chars(name.data() + kNameStart.size(), name.data() + name.size(), generation);
  return name == manifest_name(generation) ? std::optional(generation) : std::nullopt;
}

/// The newest first.
Result<std::vector<std::uint64_t>> generations_in(io::FileSystem& files,
                                                  const std::string& folder) {
  std::vector<std::uint64_t> found;
  STRATA_TRY(files.list_directory(folder, [&found](std::string_view name, io::FileKind) {
    if (const auto generation = generation_of(name)) found.push_back(*generation);
    return true;
  }));
  std::ranges::sort(found, std::greater());
  return found;
}

Result<Manifest> read_manifest(io::FileSystem& files, const std::string& path,
                               std::uint64_t generation) {
  const std::string name = base::quote(path, 512);
  STRATA_LET(const std::unique_ptr<io::File> file, files.open_if_exists(path));
  if (file == nullptr) return damaged_manifest(name, "the file is gone");
  STRATA_LET(const std::uint64_t size, file->size());
  if (size > kBytesMax) return damaged_manifest(name, "it is longer than any manifest");
  Bytes bytes(static_cast<std::size_t>(size), '\0');
  STRATA_TRY(io::read_exactly(*file, 0, bytes));
  STRATA_LET(Manifest manifest, decode(bytes, name));
  if (manifest.generation != generation) return damaged_manifest(name, "it has another's name");
  return manifest;
}

/// Those that are not needed any more. What was newer than this one was damaged, or it would have
/// been this one's base.
Result<> remove_old(io::FileSystem& files, const std::string& folder, std::uint64_t generation) {
  STRATA_LET(const std::vector<std::uint64_t> all, generations_in(files, folder));
  const auto before = std::ranges::find_if(all, [&](std::uint64_t g) { return g < generation; });
  for (auto at = all.begin(); at != all.end(); ++at) {
    if (*at == generation || at == before) continue;
    STRATA_TRY(files.remove(io::join_path(folder, manifest_name(*at))));
  }
  return {};
}

}  // namespace

std::vector<Void> voids_at_open(const Manifest& manifest) {
  std::vector<Void> voids = manifest.voids;
  if (manifest.clock > manifest.version) {
    voids.push_back(
        {manifest.version, manifest.clock, manifest.next_segment << manifest.segment_bits});
  }
  return voids;
}

Bytes encode(const Manifest& manifest) {
  STRATA_CHECK(misfit_of(manifest) == nullptr);
  Bytes bytes(kManifestMagic);
  base::put_u16_le(bytes, kManifestFormat);
  bytes.append(kReservedAfterFormat, '\0');
  base::put_u64_le(bytes, manifest.compatible);
  base::put_u64_le(bytes, manifest.read_only_compatible);
  base::put_u64_le(bytes, 0);  // incompatible features
  base::put_u64_le(bytes, manifest.generation);
  bytes.append(reinterpret_cast<const char*>(manifest.store.bytes), sizeof(manifest.store.bytes));
  base::put_u64_le(bytes, manifest.hash_seed);
  base::put_u64_le(bytes, manifest.version);
  base::put_u64_le(bytes, manifest.clock);
  base::put_u64_le(bytes, manifest.log_position);
  base::put_u64_le(bytes, manifest.log_life);
  base::put_u64_le(bytes, static_cast<std::uint64_t>(manifest.time_ms));
  base::put_u64_le(bytes, manifest.begin);
  base::put_u64_le(bytes, manifest.next_segment);
  base::put_u64_le(bytes, manifest.next_extent);
  base::put_u8(bytes, manifest.frame_bits);
  base::put_u8(bytes, manifest.segment_bits);
  base::put_u8(bytes, manifest.index_bits);
  bytes.append(kReservedAfterBits, '\0');
  base::put_u32_le(bytes, 0);  // encryption key
  bytes.append(kNonceBytes, '\0');
  base::put_u32_le(bytes, static_cast<std::uint32_t>(manifest.segments.size()));
  base::put_u32_le(bytes, static_cast<std::uint32_t>(manifest.voids.size()));
  bytes.append(kReservedAtEnd, '\0');
  STRATA_CHECK(bytes.size() == kHeadBytes);
  for (const ManifestSegment& each : manifest.segments) {
    base::put_u64_le(bytes, each.number);
    base::put_u64_le(bytes, each.data_bytes);
  }
  for (const Void& each : manifest.voids) {
    base::put_u64_le(bytes, each.from);
    base::put_u64_le(bytes, each.to);
    base::put_u64_le(bytes, each.limit);
  }
  base::put_u32_le(bytes, base::crc32c(bytes));
  return bytes;
}

Result<Manifest> decode(BytesView bytes, const std::string& name) {
  if (bytes.size() < kFormatEnd + kCrcBytes || !bytes.starts_with(kManifestMagic)) {
    return damaged_manifest(name, "it does not begin as it must");
  }
  // Every format ends with this checksum, so that a flipped bit is not taken for a later format.
  const BytesView covered = bytes.substr(0, bytes.size() - kCrcBytes);
  if (base::crc32c(covered) != base::load_u32_le(covered.data() + covered.size())) {
    return damaged_manifest(name, "its checksum differs");
  }
  const std::uint16_t format = base::load_u16_le(bytes.data() + kManifestMagic.size());
  if (format > kManifestFormat) {
    return too_new(name,
                   fmt::format("it has format {}, this one reads {}", format, kManifestFormat));
  }
  if (format != kManifestFormat) return damaged_manifest(name, "it has no format");
  base::Reader reader(covered.substr(kFormatEnd));
  return decode_fields(reader, name);
}

std::string manifest_name(std::uint64_t generation) {
  return fmt::format("{}{:012}", kNameStart, generation);
}

Result<> write_manifest(io::FileSystem& files, const std::string& folder,
                        const Manifest& manifest) {
  const std::string path = io::join_path(folder, manifest_name(manifest.generation));
  if (!manifest.writable()) {
    return too_new(base::quote(folder, 512), "it can be read here, not written");
  }
  STRATA_TRY(io::write_file_atomically(files, path, encode(manifest)));
  // The store is safe already; what stays is no harm.
  static_cast<void>(remove_old(files, folder, manifest.generation));
  return {};
}

Result<std::optional<Manifest>> read_newest_manifest(io::FileSystem& files,
                                                     const std::string& folder, std::string* said) {
  STRATA_LET(const std::vector<std::uint64_t> all, generations_in(files, folder));
  std::optional<Error> newest_trouble;
  for (const std::uint64_t generation : all) {
    const std::string path = io::join_path(folder, manifest_name(generation));
    Result<Manifest> read = read_manifest(files, path, generation);
    if (read) {
      if (newest_trouble && said != nullptr) {
        *said = fmt::format("{}; {} is used in its place", newest_trouble->message(),
                            base::quote(path, 512));
      }
      return std::optional(*std::move(read));
    }
    if (read.error().code() != Code::corruption) return read.error();
    if (!newest_trouble) newest_trouble = read.error();
  }
  if (newest_trouble) return *newest_trouble;
  return std::optional<Manifest>();
}

}  // namespace strata::backends::hybridlog
