// META.json is replaced as a whole, each time.
#include "backends/file/meta.h"

#include <fmt/format.h>

#include "backends/file/names.h"
#include "backends/file/sealed_json.h"
#include "io/files.h"

namespace strata::backends::file {

namespace {

constexpr std::uint64_t kMetaFormat = 1;
constexpr std::uint64_t kReserve = 1 << 20;
constexpr std::size_t kKeyspacesBytesMax = kSealedBytesMax - 4096;

Result<Census::Totals> decode_totals(SealedReader& reader, const std::string& keyspace) {
  Census::Totals totals;
  STRATA_LET(totals.records, reader.number(keyspace + ".records"));
  STRATA_LET(totals.expiring, reader.number(keyspace + ".expiring"));
  STRATA_LET(totals.bytes, reader.number(keyspace + ".bytes"));
  STRATA_LET(totals.blocks, reader.number(keyspace + ".blocks"));
  return totals;
}

}  // namespace

Bytes encode_meta(const Meta& meta) {
  SealedWriter writer;
  writer.number("strata_file_store", kMetaFormat);
  writer.flag("clean", meta.clean);
  writer.number("version_next", meta.version_next);
  for (const auto& [keyspace, totals] : meta.keyspaces) {
    // Those left out are counted again when they are next used.
    if (writer.bytes() > kKeyspacesBytesMax) break;
    writer.number(fmt::format("{}.records", keyspace), totals.records);
    writer.number(fmt::format("{}.expiring", keyspace), totals.expiring);
    writer.number(fmt::format("{}.bytes", keyspace), totals.bytes);
    writer.number(fmt::format("{}.blocks", keyspace), totals.blocks);
  }
  return std::move(writer).seal();
}

Result<Meta> decode_meta(BytesView text) {
  STRATA_LET(SealedReader reader, SealedReader::open(text));
  STRATA_LET(const std::uint64_t format, reader.number("strata_file_store"));
  if (format != kMetaFormat) {
    return bad(fmt::format("it has format {}, this version reads {}", format, kMetaFormat));
  }
  Meta meta;
  STRATA_LET(meta.clean, reader.flag("clean"));
  STRATA_LET(meta.version_next, reader.number("version_next"));
  while (!reader.first_left().empty()) {
    const std::string member = reader.first_left();
    const std::string keyspace = member.substr(0, member.find('.'));
    const std::optional<std::uint32_t> number = parse_keyspace_name(keyspace);
    if (!number) return bad(fmt::format("its member \"{}\" is not known to this version", member));
    STRATA_LET(const Census::Totals totals, decode_totals(reader, keyspace));
    meta.keyspaces.emplace(*number, totals);
  }
  return meta;
}

MetaFile::MetaFile(io::FileSystem& files, const std::string& folder)
    : files_(files), path_(io::join_path(folder, kName)) {}

Result<std::optional<Meta>> MetaFile::read() {
  STRATA_LET(const std::optional<Bytes> text, io::read_file(files_, path_, kSealedBytesMax));
  if (!text) return std::optional<Meta>{};
  Result<Meta> meta = decode_meta(*text);
  if (!meta) return Error(meta.error().code(), path_ + ": " + meta.error().message());
  return std::optional<Meta>(*std::move(meta));
}

Result<> MetaFile::start(const Meta& meta) {
  const base::MutexLock lock(mutex_);
  next_.store(meta.version_next, std::memory_order_relaxed);
  return reserve(meta.version_next);
}

Result<> MetaFile::reserve(std::uint64_t beyond) {
  const Meta meta{.clean = false, .version_next = beyond + kReserve, .keyspaces = {}};
  STRATA_TRY(io::write_file_atomically(files_, path_, encode_meta(meta)));
  limit_.store(meta.version_next, std::memory_order_release);
  return {};
}

Result<Version> MetaFile::take_version() {
  const std::uint64_t version = next_.fetch_add(1, std::memory_order_relaxed);
  if (version >= limit_.load(std::memory_order_acquire)) [[unlikely]] {
    const base::MutexLock lock(mutex_);
    if (version >= limit_.load(std::memory_order_relaxed)) STRATA_TRY(reserve(version));
  }
  return Version{version};
}

Result<> MetaFile::finish(bool clean, std::map<std::uint32_t, Census::Totals> keyspaces) {
  const Meta meta{.clean = clean,
                  .version_next = next_.load(std::memory_order_relaxed),
                  .keyspaces = std::move(keyspaces)};
  return io::write_file_atomically(files_, path_, encode_meta(meta));
}

}  // namespace strata::backends::file
