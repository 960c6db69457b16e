#include "cli/import_source.h"

#include <algorithm>

#include "base/quote.h"
#include "cli/byte_source.h"
#include "cli/csv_reader.h"
#include "cli/folder_walk.h"
#include "io/files.h"

namespace strata::cli {

namespace {

/// Wide enough that the order of the keys is that of the lines.
std::string counter_key(const std::string& prefix, std::uint64_t line) {
  std::string digits = std::to_string(line);
  return prefix + std::string(20 - digits.size(), '0') + digits;
}

/// What the store would refuse, or nothing.
std::string beyond(const Limits& limits, BytesView key, BytesView value) {
  if (key.size() < limits.key_bytes_min || key.size() > limits.key_bytes_max) {
    return "its key has " + std::to_string(key.size()) + " bytes, this store takes " +
           std::to_string(limits.key_bytes_min) + " to " + std::to_string(limits.key_bytes_max);
  }
  if (value.size() > limits.value_bytes_max) {
    return "it has " + std::to_string(value.size()) + " bytes, this store takes at most " +
           std::to_string(limits.value_bytes_max);
  }
  return {};
}

std::string at_line(const std::string& path, std::uint64_t line) {
  return (path == "-" ? "standard input" : path) + ":" + std::to_string(line) + ": ";
}

class NdjsonSource final : public ImportSource {
 public:
  NdjsonSource(std::unique_ptr<ByteSource> bytes, const SourceOptions& options)
      : options_(options),
        bytes_(std::move(bytes)),
        reader_(*bytes_, std::min<std::uint64_t>(kLineBytesMax, options.limits.value_bytes_max),
                options.start) {}

  Result<ImportStep> next(ImportItem& item) override {
    STRATA_LET(const NdjsonReader::Step step, reader_.next());
    if (step == NdjsonReader::Step::end) return ImportStep::end;
    const std::uint64_t line = reader_.place().line;
    const std::string where = at_line(options_.path, line);
    if (step == NdjsonReader::Step::too_long) {
      return broken(where + "a line of more than " + std::to_string(kLineBytesMax) + " bytes");
    }
    Result<Bytes> key = json_key(reader_.line(), options_.key.field);
    if (!key) return broken(where + key.error().message());
    item.key = options_.key.field.empty() ? counter_key(options_.key.prefix, line)
                                          : options_.key.prefix + *key;
    item.value = reader_.line();
    const std::string why = beyond(options_.limits, item.key, item.value);
    return why.empty() ? ImportStep::item : broken(where + why);
  }
  TextPlace place() const override { return reader_.place(); }

 private:
  const SourceOptions options_;
  const std::unique_ptr<ByteSource> bytes_;
  NdjsonReader reader_;
};

class CsvSource final : public ImportSource {
 public:
  /// `head` stands at the beginning of the file, `bytes` where the import goes on.
  static Result<std::unique_ptr<ImportSource>> open(std::unique_ptr<ByteSource> head,
                                                    std::unique_ptr<ByteSource> bytes,
                                                    const SourceOptions& options) {
    std::unique_ptr<CsvSource> source(new CsvSource(options));
    source->bytes_ = std::move(head);
    source->reader_.emplace(*source->bytes_, kLineBytesMax, TextPlace{});
    STRATA_TRY(source->read_header());
    if (bytes != nullptr) {
      source->bytes_ = std::move(bytes);
      source->reader_.emplace(*source->bytes_, kLineBytesMax, options.start);
    }
    return source;
  }

  Result<ImportStep> next(ImportItem& item) override {
    STRATA_LET(const CsvReader::Step step, reader_->next());
    if (step == CsvReader::Step::end) return ImportStep::end;
    const std::string where = at_line(options_.path, reader_->first_line());
    if (step == CsvReader::Step::bad) return broken(where + reader_->fault());
    if (reader_->fields().size() != columns_) {
      return broken(where + std::to_string(reader_->fields().size()) + " fields, the header has " +
                    std::to_string(columns_));
    }
    item.key = column_ ? options_.key.prefix + reader_->fields()[*column_]
                       : counter_key(options_.key.prefix, reader_->first_line());
    item.value = reader_->row();
    const std::string why = beyond(options_.limits, item.key, item.value);
    return why.empty() ? ImportStep::item : broken(where + why);
  }
  TextPlace place() const override { return reader_->place(); }
  Bytes header() const override { return header_; }

 private:
  explicit CsvSource(const SourceOptions& options) : options_(options) {}

  Result<> read_header() {
    STRATA_LET(const CsvReader::Step step, reader_->next());
    const std::string where = at_line(options_.path, 1);
    if (step != CsvReader::Step::row) {
      return Error(Code::invalid_argument,
                   where + (reader_->fault().empty() ? "no header line" : reader_->fault()));
    }
    std::vector<Bytes> names = reader_->fields();
    constexpr BytesView kByteOrderMark = "\xEF\xBB\xBF";
    if (names[0].starts_with(kByteOrderMark)) names[0].erase(0, kByteOrderMark.size());
    header_ = Bytes(reader_->row()) + Bytes(reader_->line_end());
    if (reader_->line_end().empty()) header_ += '\n';
    columns_ = names.size();
    if (options_.key.field.empty()) return {};
    const auto found = std::find(names.begin(), names.end(), options_.key.field);
    if (found == names.end()) {
      return Error(Code::invalid_argument,
                   where + "the header has no column " + base::quote(options_.key.field));
    }
    column_ = static_cast<std::size_t>(found - names.begin());
    return {};
  }

  const SourceOptions options_;
  std::unique_ptr<ByteSource> bytes_;
  std::optional<CsvReader> reader_;
  Bytes header_;
  std::size_t columns_ = 0;
  std::optional<std::size_t> column_;
};

class FolderSource final : public ImportSource {
 public:
  FolderSource(io::FileSystem& files, const SourceOptions& options, FolderWalk walk)
      : files_(files), options_(options), walk_(std::move(walk)) {
    place_ = options.start;
  }

  Result<ImportStep> next(ImportItem& item) override {
    STRATA_LET(const std::optional<std::string> path, walk_.next());
    if (!path) return ImportStep::end;
    last_path_ = *path;
    item.key = options_.key.prefix + *path;
    const std::string whole = io::join_path(options_.path, *path);
    Result<std::optional<Bytes>> content =
        io::read_file(files_, whole, options_.limits.value_bytes_max);
    if (!content) {
      // Too large, or unreadable: the message names the file.
      return broken(content.error().to_string());
    }
    if (!*content) return broken(whole + ": it is gone");
    content_ = **std::move(content);
    item.value = content_;
    place_.offset += content_.size();
    ++place_.line;
    const std::string why = beyond(options_.limits, item.key, item.value);
    return why.empty() ? ImportStep::item : broken(whole + ": " + why);
  }
  TextPlace place() const override { return place_; }
  std::string last_path() const override { return last_path_; }

 private:
  io::FileSystem& files_;
  const SourceOptions options_;
  FolderWalk walk_;
  Bytes content_;
  std::string last_path_;
  TextPlace place_;
};

Result<std::unique_ptr<ByteSource>> open_bytes(io::FileSystem& files, const std::string& path,
                                               std::uint64_t offset) {
  if (path == "-") return std::unique_ptr<ByteSource>(std::make_unique<StdinSource>());
  STRATA_LET(std::unique_ptr<io::File> file, files.open(path, io::OpenMode::read));
  return std::unique_ptr<ByteSource>(std::make_unique<FileSource>(std::move(file), offset));
}

}  // namespace

Result<std::unique_ptr<ImportSource>> open_source(io::FileSystem& files,
                                                  const SourceOptions& options) {
  if (options.form == TransferForm::folder) {
    STRATA_LET(FolderWalk walk, FolderWalk::begin(files, options.path, options.last_path));
    return std::unique_ptr<ImportSource>(
        std::make_unique<FolderSource>(files, options, std::move(walk)));
  }
  STRATA_LET(auto bytes, open_bytes(files, options.path, options.start.offset));
  if (options.form == TransferForm::ndjson) {
    return std::unique_ptr<ImportSource>(std::make_unique<NdjsonSource>(std::move(bytes), options));
  }
  if (options.start.offset == 0) return CsvSource::open(std::move(bytes), nullptr, options);
  STRATA_LET(auto head, open_bytes(files, options.path, 0));
  return CsvSource::open(std::move(head), std::move(bytes), options);
}

}  // namespace strata::cli
