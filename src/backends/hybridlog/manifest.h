// Manifest: what a store consists of at one moment: which segments, up to which version their
// records count, and where the log goes on. A store is what its newest whole manifest says.
//
//   <folder>/MANIFEST-000000000007     one file a generation; the newest two are kept
//
// Format:  docs/formats/hybridlog.md
// Always:  encode() refuses (STRATA_CHECK) what decode() would; what is read is whole and fits
//          together, or is not believed at all.
// Threads: any; writing one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/hybridlog/segment.h"
#include "io/file_system.h"
#include "strata/bytes.h"
#include "strata/result.h"

namespace strata::backends::hybridlog {

/// Records below address `limit` with from < version <= to do not count: they were written between
/// a checkpoint's snapshot and its end, and the store ended in a crash.
struct Void {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t limit = 0;
  friend bool operator==(const Void&, const Void&) = default;
};

/// Whether a record there, of that version, is of any of them.
inline bool is_void(std::span<const Void> voids, std::uint64_t address,
                    std::uint64_t version) noexcept {
  for (const Void& each : voids) {
    if (address < each.limit && version > each.from && version <= each.to) return true;
  }
  return false;
}

struct ManifestSegment {
  std::uint64_t number = 0;
  std::uint64_t data_bytes = 0;  ///< of the log in it
  friend bool operator==(const ManifestSegment&, const ManifestSegment&) = default;
};

struct Manifest {
  std::uint64_t generation = 0;  ///< also in the file's name; from 1 on
  StoreId store;
  std::uint64_t hash_seed = 0;
  std::uint64_t version = 0;       ///< S: records with a version up to it count
  std::uint64_t clock = 0;         ///< no record in the segments is newer; goes on above it
  std::uint64_t log_position = 0;  ///< of the write-ahead log: where replay begins
  std::uint64_t log_life = 0;      ///< of the write-ahead log: which of its lives
  std::int64_t time_ms = 0;        ///< wall time at which it was made
  std::uint64_t begin = 0;         ///< the log's first address
  std::uint64_t next_segment = 0;  ///< where the log goes on: above every segment's number
  std::uint64_t next_extent = 0;   ///< above every extent's number
  std::uint8_t frame_bits = 0;     ///< a frame has 2^frame_bits bytes
  std::uint8_t segment_bits = 0;   ///< segment n begins at address n * 2^segment_bits
  /// The hash index had at most 2^index_bits buckets: with fewer, keys would meet whose records do
  /// not lead to one another.
  std::uint8_t index_bits = 0;
  std::vector<ManifestSegment> segments;  ///< ascending
  std::vector<Void> voids;
  std::uint64_t compatible = 0;  ///< feature bits that one may pass over; kept
  /// Feature bits without which one may read, but not write.
  std::uint64_t read_only_compatible = 0;
  /// False: a later version's features are in use here that this one must not write over.
  bool writable() const noexcept { return read_only_compatible == 0; }
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

inline constexpr std::size_t kManifestSegmentsMax = std::size_t{1} << 20;
inline constexpr std::size_t kManifestVoidsMax = std::size_t{1} << 16;

/// Its voids, and the one that a crash left, if one did.
std::vector<Void> voids_at_open(const Manifest& manifest);

Bytes encode(const Manifest& manifest);
/// `name` is for errors. What a later version wrote: Code::not_supported; else Code::corruption.
Result<Manifest> decode(BytesView bytes, const std::string& name);

/// "MANIFEST-" and the generation in 12 digits.
std::string manifest_name(std::uint64_t generation);

/// Durable and whole when it returns. Afterwards all manifests but this one and the one before go;
/// what cannot be removed stays, and goes with the next. Not writable(): Code::not_supported.
Result<> write_manifest(io::FileSystem& files, const std::string& folder, const Manifest& manifest);

/// The newest that is whole; nothing where there is none. Where that is not the newest file, `said`
/// (if given) tells which one was damaged and which one is used. None of those there is whole:
/// Code::corruption that names the newest. A later version's manifest is Code::not_supported, and
/// no older one is used in its place.
Result<std::optional<Manifest>> read_newest_manifest(io::FileSystem& files,
                                                     const std::string& folder, std::string* said);

}  // namespace strata::backends::hybridlog
