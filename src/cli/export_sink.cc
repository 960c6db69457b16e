#include "cli/export_sink.h"

#include "base/quote.h"
#include "cli/text.h"
#include "io/files.h"

namespace strata::cli {

namespace {

constexpr std::size_t kBufferBytes = 1024 * 1024;
constexpr std::size_t kStateBytesMax = 1024 * 1024;
constexpr std::string_view kFolderState = ".strata-export";

std::string part_of(const std::string& path) { return path + ".part"; }
std::string state_path(const SinkOptions& options) {
  return options.form == TransferForm::folder ? io::join_path(options.path, kFolderState)
                                              : part_of(options.path) + ".state";
}

/// A record as a line or a row.
class Lines {
 public:
  explicit Lines(const SinkOptions& options)
      : is_csv_(options.form == TransferForm::csv),
        header_(options.csv_header),
        line_end_(options.csv_header.ends_with("\r\n") ? "\r\n" : "\n") {}

  BytesView header() const { return is_csv_ ? BytesView(header_) : BytesView(); }
  std::string append(std::string& to, BytesView value) const {
    // A row may have line ends within quotes; it came from a row.
    if (!is_csv_ && value.find('\n') != BytesView::npos) return "its value has a line end";
    to.append(value).append(line_end_);
    return {};
  }

 private:
  const bool is_csv_;
  const Bytes header_;
  const std::string_view line_end_;
};

class StdoutSink final : public ExportSink {
 public:
  explicit StdoutSink(const SinkOptions& options) : lines_(options) {
    print(stdout, lines_.header());
  }
  Result<std::string> write(BytesView, BytesView value) override {
    line_.clear();
    std::string fault = lines_.append(line_, value);
    print(stdout, line_);
    bytes_ += line_.size();
    if (std::ferror(stdout) != 0) return Error(Code::io, "standard output cannot be written");
    return fault;
  }
  Result<> keep(ExportState&) override { return {}; }
  Result<> finish() override { return {}; }
  std::uint64_t bytes() const override { return bytes_; }

 private:
  const Lines lines_;
  std::string line_;
  std::uint64_t bytes_ = 0;
};

class FileSink final : public ExportSink {
 public:
  FileSink(io::FileSystem& files, const SinkOptions& options, std::unique_ptr<io::File> part,
           std::uint64_t bytes)
      : files_(files), options_(options), lines_(options), part_(std::move(part)), written_(bytes) {
    if (bytes == 0) buffer_ = lines_.header();
  }

  Result<std::string> write(BytesView, BytesView value) override {
    std::string fault = lines_.append(buffer_, value);
    if (buffer_.size() >= kBufferBytes) STRATA_TRY(flush());
    return fault;
  }
  Result<> keep(ExportState& state) override {
    STRATA_TRY(flush());
    STRATA_TRY(part_->sync());
    state.bytes = written_;
    return io::write_file_atomically(files_, state_path(options_), state.encode());
  }
  Result<> finish() override {
    STRATA_TRY(flush());
    STRATA_TRY(part_->sync());
    STRATA_TRY(part_->close());
    STRATA_TRY(files_.rename(part_of(options_.path), options_.path));
    STRATA_TRY(files_.remove(state_path(options_)));
    return files_.sync_directory(io::parent_path(options_.path));
  }
  std::uint64_t bytes() const override { return written_ + buffer_.size(); }

 private:
  Result<> flush() {
    STRATA_TRY(part_->pwrite(written_, buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    return {};
  }

  io::FileSystem& files_;
  const SinkOptions options_;
  const Lines lines_;
  const std::unique_ptr<io::File> part_;
  std::uint64_t written_;
  std::string buffer_;
};

class FolderSink final : public ExportSink {
 public:
  FolderSink(io::FileSystem& files, const SinkOptions& options, std::uint64_t bytes)
      : files_(files), options_(options), bytes_(bytes) {}

  Result<std::string> write(BytesView key, BytesView value) override {
    const BytesView name =
        key.starts_with(options_.key_prefix) ? key.substr(options_.key_prefix.size()) : key;
    if (std::string fault = path_fault(name); !fault.empty()) return fault;
    const std::string path = io::join_path(options_.path, name);
    STRATA_TRY(io::create_directories(files_, io::parent_path(path)));
    STRATA_TRY(io::write_file_atomically(files_, path, value));
    bytes_ += value.size();
    return std::string();
  }
  Result<> keep(ExportState& state) override {
    state.bytes = bytes_;
    return io::write_file_atomically(files_, state_path(options_), state.encode());
  }
  Result<> finish() override {
    STRATA_TRY(files_.remove(state_path(options_)));
    return files_.sync_directory(options_.path);
  }
  std::uint64_t bytes() const override { return bytes_; }

 private:
  io::FileSystem& files_;
  const SinkOptions options_;
  std::uint64_t bytes_;
};

}  // namespace

std::string path_fault(BytesView key) {
  constexpr std::size_t kPathBytesMax = 3000;
  constexpr std::size_t kPartBytesMax = 250;  // the file is first written under a longer name
  if (key.size() > kPathBytesMax) return "it is too long for a path";
  if (key.find('\0') != BytesView::npos) return "it has a NUL byte, which no path has";
  if (key == kFolderState) return "that file is the export's own";
  BytesView rest = key;
  while (true) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const BytesView part = rest.substr(0, end);
    if (part.empty() || part == "." || part == "..") return "it is no path within a folder";
    if (part.size() > kPartBytesMax) return "a part of it is too long for a file name";
    if (end == rest.size()) return {};
    rest.remove_prefix(end + 1);
  }
}

Result<std::optional<ExportState>> find_export(io::FileSystem& files, const SinkOptions& options,
                                               const std::string& target) {
  if (options.path == "-") return std::optional<ExportState>();
  STRATA_LET(const std::optional<Bytes> bytes,
             io::read_file(files, state_path(options), kStateBytesMax));
  if (!bytes) return std::optional<ExportState>();
  std::optional<ExportState> state = decode_export_state(*bytes);
  if (!state || state->target != target) return std::optional<ExportState>();
  if (options.form == TransferForm::folder) return state;
  STRATA_LET(const auto part, files.stat(part_of(options.path)));
  if (!part || part->bytes < state->bytes) return std::optional<ExportState>();
  return state;
}

Result<std::unique_ptr<ExportSink>> open_sink(io::FileSystem& files, const SinkOptions& options,
                                              const ExportState& state) {
  if (options.path == "-") {
    return std::unique_ptr<ExportSink>(std::make_unique<StdoutSink>(options));
  }
  if (options.form == TransferForm::folder) {
    STRATA_TRY(io::create_directories(files, options.path));
    return std::unique_ptr<ExportSink>(std::make_unique<FolderSink>(files, options, state.bytes));
  }
  STRATA_LET(auto part, files.open(part_of(options.path), io::OpenMode::read_write));
  STRATA_TRY(part->truncate(state.bytes));
  return std::unique_ptr<ExportSink>(
      std::make_unique<FileSink>(files, options, std::move(part), state.bytes));
}

}  // namespace strata::cli
