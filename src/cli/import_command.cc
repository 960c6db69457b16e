#include "cli/import_command.h"

#include <filesystem>

#include "base/crc32c.h"
#include "base/parse.h"
#include "base/quote.h"
#include "cli/csv_header.h"
#include "cli/import_source.h"
#include "cli/import_state.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "io/posix_file_system.h"

namespace strata::cli {

namespace {

constexpr std::uint64_t kBatchBytes = 1024 * 1024;
constexpr std::size_t kBatchRecords = 1000;
constexpr std::size_t kHeadBytes = 64 * 1024;

struct Job {
  SourceOptions source;
  SourceIdentity identity;
  std::string target;
  std::uint64_t bytes_total = 0;
  bool from_stdin = false;
};

Result<TransferForm> form_of(const ImportOptions& options, bool is_folder) {
  const std::string& path = options.path;
  std::string form = options.form;
  if (form.empty() && is_folder) form = "folder";
  if (form.empty() && (path.ends_with(".csv") || path.ends_with(".CSV"))) form = "csv";
  if (form.empty()) form = "ndjson";
  if ((form == "folder") != is_folder) {
    return Error(Code::invalid_argument, base::quote(path, 512) +
                                             (is_folder ? " is a folder" : " is no folder") +
                                             ": it cannot be read as " + form);
  }
  return form == "folder" ? TransferForm::folder
         : form == "csv"  ? TransferForm::csv
                          : TransferForm::ndjson;
}

Result<SourceIdentity> identify(const std::string& path, const io::FileInfo& info) {
  SourceIdentity identity;
  std::error_code ignored;
  identity.path = std::filesystem::weakly_canonical(path, ignored).string();
  if (identity.path.empty()) identity.path = path;
  if (info.kind == io::FileKind::directory) return identity;
  identity.bytes = info.bytes;
  identity.modified_ms = info.modified_ms;
  STRATA_LET(const auto file, io::posix().open(path, io::OpenMode::read));
  Bytes head(kHeadBytes, '\0');
  STRATA_LET(const std::size_t n, file->pread(0, head));
  identity.head_crc = base::crc32c(BytesView(head).substr(0, n));
  return identity;
}

Result<Job> prepare(const ImportOptions& options) {
  Job job;
  job.source.path = options.path;
  job.source.key = {options.field, options.prefix};
  job.from_stdin = options.path == "-";
  io::FileInfo info;
  info.kind = io::FileKind::file;
  if (!job.from_stdin) {
    STRATA_LET(const auto there, io::posix().stat(options.path));
    if (!there) {
      return Error(Code::invalid_argument,
                   base::quote(options.path, 512) + ": there is no such file or folder");
    }
    info = *there;
    STRATA_LET(job.identity, identify(options.path, info));
  }
  STRATA_LET(job.source.form, form_of(options, info.kind == io::FileKind::directory));
  if (job.source.form == TransferForm::folder && !options.field.empty()) {
    return Error(Code::invalid_argument, "--key does not go with a folder: keys are its paths");
  }
  job.bytes_total = job.identity.bytes;
  job.target = options.keyspace + "\n" + std::to_string(static_cast<int>(job.source.form)) + "\n" +
               options.field + "\n" + options.prefix;
  return job;
}

/// Reads all of it without writing, so that a broken line changes nothing.
Result<> check(const Job& job, bool json) {
  STRATA_LET(const auto source, open_source(io::posix(), job.source));
  Progress progress("checking", job.bytes_total, json, false);
  ImportItem item;
  for (std::uint64_t records = 0; !interrupted(); ++records) {
    STRATA_LET(const ImportStep step, source->next(item));
    if (step == ImportStep::end) break;
    if (step == ImportStep::fault) {
      progress.end();
      return Error(Code::invalid_argument, source->fault() + "; nothing was imported");
    }
    progress.step(source->place().offset, records);
  }
  return {};
}

/// Writes items in batches, each with the state that it leads to.
class Writer {
 public:
  Writer(Engine& engine, Keyspace space, ImportState state, bool keeps_state)
      : engine_(engine),
        space_(space),
        state_(std::move(state)),
        keeps_state_(keeps_state),
        atomic_(engine.as<AtomicBatch>() != nullptr),
        limits_(engine.limits()) {}

  Result<> add(const ImportItem& item) {
    ++waiting_;
    waiting_bytes_ += item.key.size() + item.value.size();
    if (!atomic_) {
      STRATA_TRY(engine_.put({space_, item.key}, item.value));
      return {};
    }
    // One that would not fit goes with a batch of its own.
    if (batch_.bytes() + item.key.size() + item.value.size() + kBatchBytes >
        limits_.batch_bytes_max) {
      STRATA_TRY(commit());
    }
    batch_.put({space_, item.key}, item.value);
    return {};
  }
  bool full() const {
    return waiting_bytes_ >= kBatchBytes ||
           waiting_ >= std::min<std::uint64_t>(kBatchRecords, limits_.batch_effects_max - 1);
  }
  void skip() { ++state_.skipped; }

  /// Everything up to `source`'s place is in the store when it returns.
  Result<> flush(const ImportSource& source, bool finished) {
    state_.offset = source.place().offset;
    state_.line = source.place().line;
    if (!source.last_path().empty()) state_.last_path = source.last_path();
    state_.finished = finished;
    state_.records += waiting_;
    waiting_ = 0;
    waiting_bytes_ = 0;
    if (keeps_state_) {
      RecordAttributes attributes;
      attributes.type = ValueType::system;
      batch_.put({kSystemKeyspace, state_.key()}, state_.encode(), attributes);
    }
    return commit();
  }
  const ImportState& state() const { return state_; }
  std::uint64_t records() const { return state_.records + waiting_; }

 private:
  Result<> commit() {
    if (!batch_.empty()) STRATA_TRY(engine_.commit(batch_));
    batch_.clear();
    return {};
  }

  Engine& engine_;
  const Keyspace space_;
  ImportState state_;
  const bool keeps_state_;
  const bool atomic_;
  const Limits limits_;
  WriteBatch batch_;
  std::uint64_t waiting_ = 0;
  std::uint64_t waiting_bytes_ = 0;
};

class Import {
 public:
  Import(Context& context, const ImportOptions& options, Store& store, Job job)
      : context_(context), options_(options), engine_(store.engine()), job_(std::move(job)) {
    job_.source.limits = engine_.limits();
  }
  /// `checked`: the source was read through already.
  Result<ExitCode> run(Keyspace space, bool checked);

 private:
  /// What is known of this source; also where to begin.
  Result<ImportState> find_state(Keyspace space);
  Result<> keep_header(Keyspace space, const ImportSource& source);
  Result<std::optional<ExitCode>> copy(ImportSource& source, Writer& writer, Progress& progress);
  Result<ExitCode> summary(Keyspace space, const ImportState& state, std::int64_t ms,
                           std::optional<ExitCode> stopped);

  Context& context_;
  const ImportOptions& options_;
  Engine& engine_;
  Job job_;
};

Result<ImportState> Import::find_state(Keyspace space) {
  ImportState state;
  state.source = job_.identity;
  state.target = job_.target;
  STRATA_LET(state.keys_before, engine_.count(space));
  if (job_.from_stdin || options_.again) return state;
  STRATA_LET(const auto known, read_import_state(engine_, state));
  if (!known) return state;
  const bool same = known->source == job_.identity;
  const bool is_folder = job_.source.form == TransferForm::folder;
  if (known->finished) return same && !is_folder ? *known : state;
  if (same) return *known;
  return Error(Code::conflict, base::quote(options_.path, 512) +
                                   " has changed since its import was interrupted at line " +
                                   std::to_string(known->line) + "; --again begins anew");
}

Result<> Import::keep_header(Keyspace space, const ImportSource& source) {
  if (job_.source.form != TransferForm::csv) return {};
  STRATA_LET(const std::optional<Bytes> before, read_csv_header(engine_, space));
  if (before == source.header()) return {};
  STRATA_LET(const std::uint64_t keys, engine_.count(space));
  if (before && keys != 0) {
    return Error(Code::conflict, "keyspace " + base::quote(options_.keyspace) +
                                     " holds rows of a CSV file with another header than " +
                                     base::quote(options_.path, 512));
  }
  return write_csv_header(engine_, space, source.header());
}

/// Until the end, or a signal: then with what to end.
Result<std::optional<ExitCode>> Import::copy(ImportSource& source, Writer& writer,
                                             Progress& progress) {
  ImportItem item;
  while (true) {
    const std::optional<ExitCode> stop = interrupted();
    if (stop) {
      STRATA_TRY(writer.flush(source, false));
      return stop;
    }
    STRATA_LET(const ImportStep step, source.next(item));
    if (step == ImportStep::end) {
      // Standard input also ends with the signal that interrupts it.
      const std::optional<ExitCode> late = interrupted();
      STRATA_TRY(writer.flush(source, !late));
      return late;
    }
    if (step == ImportStep::item) {
      STRATA_TRY(writer.add(item));
    } else if (options_.skip_bad) {
      progress.end();
      complain("skipped: " + source.fault());
      writer.skip();
    } else {
      STRATA_TRY(writer.flush(source, false));
      return Error(Code::invalid_argument, source.fault() + "; " +
                                               std::to_string(writer.records()) +
                                               " records before it were imported");
    }
    if (writer.full()) STRATA_TRY(writer.flush(source, false));
    progress.step(source.place().offset, writer.records());
  }
}

Result<ExitCode> Import::summary(Keyspace space, const ImportState& state, std::int64_t ms,
                                 std::optional<ExitCode> stopped) {
  STRATA_LET(const std::uint64_t keys, engine_.count(space));
  const std::uint64_t made = keys - std::min(keys, state.keys_before);
  if (context_.common.json) {
    std::string text = "{\"summary\":\"" + std::string(stopped ? "interrupted" : "imported") +
                       "\",\"records\":" + std::to_string(state.records) +
                       ",\"new_keys\":" + std::to_string(made) +
                       ",\"skipped\":" + std::to_string(state.skipped) +
                       ",\"bytes\":" + std::to_string(state.offset) +
                       ",\"elapsed_ms\":" + std::to_string(ms) + "}\n";
    print(stdout, text);
  } else {
    std::string text = (stopped ? "interrupted after " : "imported ") +
                       std::to_string(state.records) + " records (" +
                       base::human_size(state.offset) + "), " + std::to_string(made) +
                       " new keys, " + std::to_string(state.skipped) + " skipped, in " +
                       base::human_duration_ms(ms);
    if (stopped && !job_.from_stdin) text += "; the same command goes on from here";
    print(stdout, text + "\n");
  }
  if (stopped) return *stopped;
  return state.skipped != 0 ? ExitCode::partial : ExitCode::ok;
}

Result<ExitCode> Import::run(Keyspace space, bool checked) {
  STRATA_LET(const ImportState state, find_state(space));
  if (state.finished) {
    const std::string count = std::to_string(state.records);
    print(stdout, context_.common.json
                      ? "{\"summary\":\"finished before\",\"records\":" + count + "}\n"
                      : "imported before: " + count + " records; --again imports them anew\n");
    return ExitCode::ok;
  }
  const bool fresh = state.offset == 0 && state.last_path.empty();
  if (fresh && !checked && !job_.from_stdin && !options_.skip_bad) {
    STRATA_TRY(check(job_, context_.common.json));
  }
  if (const auto stop = interrupted()) return *stop;
  job_.source.start = {state.offset, state.line};
  job_.source.last_path = state.last_path;
  STRATA_LET(const auto source, open_source(io::posix(), job_.source));
  STRATA_TRY(keep_header(space, *source));
  Progress progress("importing", job_.bytes_total, context_.common.json, false);
  progress.started_at(state.offset);
  Writer writer(engine_, space, state, !job_.from_stdin);
  STRATA_LET(const std::optional<ExitCode> stopped, copy(*source, writer, progress));
  progress.end();
  return summary(space, writer.state(), progress.elapsed_ms(), stopped);
}

}  // namespace

Result<ExitCode> run_import(Context& context, const ImportOptions& options) {
  STRATA_LET(Job job, prepare(options));
  take_signals();
  // Where no store is yet, a broken file shall not leave one behind.
  STRATA_LET(const bool is_there, context.store_is_there());
  const bool check_first = !is_there && !job.from_stdin && !options.skip_bad;
  if (check_first) STRATA_TRY(check(job, context.common.json));
  if (const auto stop = interrupted()) return *stop;
  STRATA_LET(const std::unique_ptr<Store> store, context.open_store(true));
  STRATA_LET(const Keyspace space, store->keyspace(options.keyspace));
  Import import(context, options, *store, std::move(job));
  STRATA_LET(const ExitCode status, import.run(space, check_first));
  STRATA_TRY(store->close());
  return status;
}

}  // namespace strata::cli
