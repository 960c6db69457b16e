#include "cli/export_command.h"

#include "base/parse.h"
#include "base/quote.h"
#include "cli/csv_header.h"
#include "cli/export_sink.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/record_stream.h"
#include "cli/text.h"
#include "io/posix_file_system.h"

namespace strata::cli {

namespace {

/// How much is written, or how long, before it is remembered.
constexpr std::uint64_t kKeepBytes = 32 * 1024 * 1024;
constexpr std::int64_t kKeepMs = 1000;

Result<SinkOptions> sink_of(const ExportOptions& options) {
  SinkOptions sink;
  sink.path = options.path;
  sink.key_prefix = options.prefix;
  STRATA_LET(const auto there, options.path == "-"
                                   ? Result<std::optional<io::FileInfo>>(std::nullopt)
                                   : io::posix().stat(options.path));
  const bool is_folder = there && there->kind == io::FileKind::directory;
  std::string form = options.form;
  if (form.empty() && (is_folder || options.path.ends_with('/'))) form = "folder";
  if (form.empty() && options.path.ends_with(".csv")) form = "csv";
  sink.form = form == "folder" ? TransferForm::folder
              : form == "csv"  ? TransferForm::csv
                               : TransferForm::ndjson;
  const bool to_folder = sink.form == TransferForm::folder;
  if (there && is_folder != to_folder) {
    return Error(Code::invalid_argument,
                 base::quote(options.path, 512) + (is_folder ? " is a folder" : " is no folder"));
  }
  if (to_folder && options.path == "-") {
    return Error(Code::invalid_argument, "a folder cannot go to standard output");
  }
  if (there && !to_folder && !options.again) {
    return Error(Code::invalid_argument,
                 base::quote(options.path, 512) + " is there already; --again replaces it");
  }
  return sink;
}

class Export {
 public:
  Export(Context& context, const ExportOptions& options, Engine& engine, SinkOptions sink)
      : context_(context), options_(options), engine_(engine), sink_options_(std::move(sink)) {}

  Result<ExitCode> run(Keyspace space, const std::string& folder);

 private:
  Result<std::optional<ExitCode>> copy(RecordStream& stream, ExportSink& sink);
  Result<> write(const RecordStream& stream, ExportSink& sink);
  ExitCode summary(std::uint64_t bytes, std::int64_t ms, std::optional<ExitCode> stopped);

  Context& context_;
  const ExportOptions& options_;
  Engine& engine_;
  SinkOptions sink_options_;
  ExportState state_;
};

Result<> Export::write(const RecordStream& stream, ExportSink& sink) {
  std::string fault = "it is no string";
  if (stream.type() == ValueType::string) {
    STRATA_LET(fault, sink.write(stream.key(), stream.value()));
  }
  if (fault.empty()) {
    ++state_.records;
    return {};
  }
  const std::string sentence = "key " + base::quote(stream.key()) + ": " + fault;
  if (!options_.skip_bad) {
    return Error(Code::invalid_argument, sentence + "; --skip-bad leaves it out");
  }
  complain("skipped: " + sentence);
  ++state_.skipped;
  return {};
}

/// Until the end, or a signal: then with what to end.
Result<std::optional<ExitCode>> Export::copy(RecordStream& stream, ExportSink& sink) {
  Progress progress("exporting", 0, context_.common.json, options_.path == "-");
  progress.started_at(state_.bytes);
  std::uint64_t kept_bytes = state_.bytes;
  std::int64_t kept_ms = progress.elapsed_ms();
  while (true) {
    STRATA_LET(const bool any, stream.next());
    if (!any) return std::optional<ExitCode>();
    STRATA_TRY(write(stream, sink));
    progress.step(sink.bytes(), state_.records);
    const std::optional<ExitCode> stop = interrupted();
    const bool due = stop || sink.bytes() - kept_bytes >= kKeepBytes ||
                     progress.elapsed_ms() - kept_ms >= kKeepMs;
    if (!due) continue;
    // Between two places to go on from, the signal waits for the next one.
    const std::optional<Bytes> cursor = stream.cursor();
    if (!cursor) continue;
    state_.cursor = *cursor;
    STRATA_TRY(sink.keep(state_));
    kept_bytes = sink.bytes();
    kept_ms = progress.elapsed_ms();
    if (stop) return stop;
  }
}

ExitCode Export::summary(std::uint64_t bytes, std::int64_t ms, std::optional<ExitCode> stopped) {
  // Standard output may be the export itself.
  std::FILE* to = options_.path == "-" ? stderr : stdout;
  if (context_.common.json) {
    print(to, "{\"summary\":\"" + std::string(stopped ? "interrupted" : "exported") +
                  "\",\"records\":" + std::to_string(state_.records) + ",\"skipped\":" +
                  std::to_string(state_.skipped) + ",\"bytes\":" + std::to_string(bytes) +
                  ",\"elapsed_ms\":" + std::to_string(ms) + "}\n");
  } else {
    std::string text = (stopped ? "interrupted after " : "exported ") +
                       std::to_string(state_.records) + " records (" + base::human_size(bytes) +
                       "), " + std::to_string(state_.skipped) + " skipped, in " +
                       base::human_duration_ms(ms);
    if (stopped && options_.path != "-") text += "; the same command goes on from here";
    print(to, text + "\n");
  }
  if (stopped) return *stopped;
  return state_.skipped != 0 ? ExitCode::partial : ExitCode::ok;
}

Result<ExitCode> Export::run(Keyspace space, const std::string& folder) {
  if (sink_options_.form == TransferForm::csv) {
    STRATA_LET(const std::optional<Bytes> header, read_csv_header(engine_, space));
    if (!header) {
      return Error(Code::invalid_argument, "keyspace " + base::quote(options_.keyspace) +
                                               " was not imported from CSV: it has no header");
    }
    sink_options_.csv_header = *header;
  }
  const std::string target = folder + "\n" + options_.keyspace + "\n" + options_.prefix + "\n" +
                             std::to_string(static_cast<int>(sink_options_.form));
  STRATA_LET(const auto found, find_export(io::posix(), sink_options_, target));
  if (found) state_ = *found;
  state_.target = target;
  STRATA_LET(RecordStream stream,
             RecordStream::begin(engine_, space, options_.prefix, state_.cursor));
  STRATA_LET(const auto sink, open_sink(io::posix(), sink_options_, state_));
  const std::int64_t started_ms = base::system_clock().monotonic_ms();
  STRATA_LET(const std::optional<ExitCode> stopped, copy(stream, *sink));
  const std::uint64_t bytes = sink->bytes();
  if (!stopped) STRATA_TRY(sink->finish());
  return summary(bytes, base::system_clock().monotonic_ms() - started_ms, stopped);
}

}  // namespace

Result<ExitCode> run_export(Context& context, const ExportOptions& options) {
  STRATA_LET(SinkOptions sink, sink_of(options));
  take_signals();
  STRATA_LET(const std::unique_ptr<Store> store, context.open_store(false));
  STRATA_LET(const auto space, keyspace_of(*store, options.keyspace, false));
  if (!space) {
    complain("there is no keyspace " + base::quote(options.keyspace));
    return ExitCode::not_found;
  }
  Export work(context, options, store->engine(), std::move(sink));
  STRATA_LET(const ExitCode status, work.run(*space, store->folder()));
  STRATA_TRY(store->close());
  return status;
}

}  // namespace strata::cli
