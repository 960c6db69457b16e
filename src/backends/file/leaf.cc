// Reads trust nothing: a sidecar has its checksum, a value its length and SHA-256.
#include "backends/file/leaf.h"

#include <fmt/format.h>

#include <span>

#include "backends/file/sealed_json.h"
#include "base/quote.h"
#include "io/files.h"

namespace strata::backends::file {

namespace {

Error damaged_value(const std::string& path, const Sidecar& sidecar, std::string_view why) {
  return {Code::corruption,
          fmt::format("value {} of key {}: {}", path, base::quote(sidecar.key), why)};
}

}  // namespace

std::string LeafFolder::file(std::string_view name, std::string_view suffix) const {
  std::string path;
  path.reserve(path_.size() + 1 + name.size() + suffix.size());
  path.append(path_).append("/").append(name).append(suffix);
  return path;
}

Result<LeafFolder::Listing> LeafFolder::list() const {
  Listing listing;
  STRATA_LET(const auto folder, files_.stat(path_));
  if (!folder) return listing;
  STRATA_TRY(files_.list_directory(path_, [&](std::string_view entry, io::FileKind kind) {
    const std::optional<FileName> parsed = parse_file_name(entry);
    if (!parsed || kind != io::FileKind::file) {
      ++listing.strangers;
      return true;
    }
    Files& found = listing.records[std::string(parsed->name)];
    switch (parsed->role) {
      case FileRole::value:
        found.values.push_back(parsed->version);
        break;
      case FileRole::meta:
        found.meta = true;
        break;
      case FileRole::next:
        found.next = true;
        break;
      case FileRole::temp:
        found.temp = true;
        break;
    }
    return true;
  }));
  return listing;
}

Result<std::optional<Sidecar>> LeafFolder::sidecar(std::string_view name,
                                                   std::string_view suffix) const {
  const std::string path = file(name, suffix);
  Result<std::optional<Bytes>> text = io::read_file(files_, path, kSealedBytesMax);
  if (!text && text.error().code() != Code::quota) return text.error();
  if (text && !*text) return std::optional<Sidecar>{};
  Result<Sidecar> decoded =
      text ? decode_sidecar(**text) : Error(Code::corruption, "it is larger than any sidecar");
  if (decoded) {
    // A pair that somebody copied to another name or folder must not answer for it.
    const Place place = place_of(decoded->key);
    if (place.name == name && path_.ends_with(leaf_path(place.leaf))) {
      return std::optional<Sidecar>(*std::move(decoded));
    }
    decoded =
        Error(Code::corruption, fmt::format("it belongs to the key {}", base::quote(decoded->key)));
  }
  return Error(Code::corruption, fmt::format("sidecar {} (key {}): {}", path, describe_key(name),
                                             decoded.error().message()));
}

Result<bool> LeafFolder::value(const Sidecar& sidecar, Value& value) const {
  value.clear();
  const std::string path = file(sidecar.value_file);
  STRATA_LET(const std::unique_ptr<io::File> opened, files_.open_if_exists(path));
  if (opened == nullptr) return false;
  STRATA_LET(const std::uint64_t bytes, opened->size());
  if (bytes != sidecar.info.value_bytes) {
    return damaged_value(
        path, sidecar,
        fmt::format("it has {} bytes, its sidecar says {}", bytes, sidecar.info.value_bytes));
  }
  const std::size_t wanted = static_cast<std::size_t>(bytes);
  const Result<> read = io::read_exactly(*opened, 0, std::span(value.prepare(wanted), wanted));
  if (!read) {
    value.clear();
    return read.error();
  }
  if (codec::sha256(value.view()) != sidecar.sha256) {
    value.clear();
    return damaged_value(path, sidecar, "its SHA-256 is not that of its sidecar");
  }
  return true;
}

Result<bool> LeafFolder::next_counts(std::string_view name, const std::optional<Sidecar>& meta,
                                     const Sidecar& next) const {
  if (meta && next.info.version <= meta->info.version) return false;
  Value value;
  const Result<bool> whole = this->value(next, value);
  if (!whole && whole.error().code() != Code::corruption) {
    return Error(whole.error().code(), fmt::format("recovery of {}", file(name)), whole.error());
  }
  return whole && *whole;
}

Result<std::optional<Sidecar>> LeafFolder::settled_sidecar(std::string_view name) const {
  const Result<std::optional<Sidecar>> next = sidecar(name, kNextSuffix);
  if (!next && next.error().code() != Code::corruption) return next.error();
  Result<std::optional<Sidecar>> meta = sidecar(name, kMetaSuffix);
  if (!meta || !next || !*next) return meta;
  STRATA_LET(const bool counts, next_counts(name, *meta, **next));
  return counts ? *next : *meta;
}

Result<> LeafFolder::write(std::string_view name, BytesView bytes, bool sync) const {
  STRATA_LET(const std::unique_ptr<io::File> opened,
             files_.open(file(name), io::OpenMode::truncate));
  STRATA_TRY(opened->append(bytes));
  if (sync) STRATA_TRY(opened->sync());
  return opened->close();
}

Result<> LeafFolder::sync_file(std::string_view name) const {
  STRATA_LET(const std::unique_ptr<io::File> opened,
             files_.open(file(name), io::OpenMode::read_write));
  return opened->sync();
}

Result<bool> LeafFolder::repair() const {
  bool any = false;
  STRATA_LET(const Listing listing, list());
  for (const auto& [name, found] : listing.records) {
    STRATA_LET(const bool promoted, repair_record(name, found));
    any |= promoted;
  }
  return any;
}

Result<bool> LeafFolder::repair_record(const std::string& name, const Files& found) const {
  Result<std::optional<Sidecar>> meta = sidecar(name, kMetaSuffix);
  // A damaged sidecar stays as it is, with all that may belong to it, for a person to look at.
  if (!meta && meta.error().code() != Code::corruption) return meta.error();
  if (found.temp) discard(name + std::string(kTempSuffix));
  if (!meta) return false;
  bool promoted = false;
  std::optional<Sidecar> current = *std::move(meta);
  if (found.next) {
    const Result<std::optional<Sidecar>> next = sidecar(name, kNextSuffix);
    if (!next && next.error().code() != Code::corruption) return next.error();
    if (next && *next) {
      STRATA_LET(promoted, next_counts(name, current, **next));
    }
    if (promoted) {
      STRATA_TRY(sync_file((*next)->value_file));
      STRATA_TRY(sync_file(name + std::string(kNextSuffix)));
      STRATA_TRY(files_.sync_directory(path_));
      STRATA_TRY(files_.rename(file(name, kNextSuffix), file(name, kMetaSuffix)));
      STRATA_TRY(files_.sync_directory(path_));
      current = *next;
    } else {
      discard(name + std::string(kNextSuffix));
    }
  }
  for (const std::uint64_t version : found.values) {
    const std::string value = value_file_name(name, version);
    if (!current || current->value_file != value) discard(value);
  }
  return promoted;
}

void LeafFolder::discard(std::string_view name) const {
  const Result<bool> removed = files_.remove(file(name));
  static_cast<void>(removed);
}

}  // namespace strata::backends::file
