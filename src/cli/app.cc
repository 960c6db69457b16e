// The only file that sees CLI11.
#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/bench_command.h"
#include "cli/context.h"
#include "cli/doctor_command.h"
#include "cli/export_command.h"
#include "cli/import_command.h"
#include "cli/info_commands.h"
#include "cli/interrupt.h"
#include "cli/record_commands.h"
#include "cli/serve_command.h"
#include "cli/text.h"
#include "cli/verify_command.h"

namespace strata::cli {

namespace {

using Command = std::function<Result<ExitCode>()>;

/// The tree of subcommands with the places that their flags are written to.
class App {
 public:
  App();
  int run(int argc, const char* const* argv);

 private:
  /// A subcommand with the flags that all have; running it is `command`.
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help,
                Command command);
  void add_records();
  void add_scan();
  void add_transfer();
  void add_bench();
  void add_info();
  void add_server();
  void add_form(CLI::App& command, Form& form, bool with_raw);
  int report(const Result<ExitCode>& status);

  CLI::App app_{"Strata: one storage engine over memory, files, RocksDB and LMDB", "strata"};
  Context context_;
  RecordOptions record_;
  ScanCommandOptions scan_;
  ImportOptions import_;
  ExportOptions export_;
  BenchOptions bench_;
  std::string config_file_;
  bool origin_ = false;
  ServeFlags serve_;
  Command chosen_;
};

App::App() {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", [] {
    std::string text = version_text();
    text.pop_back();
    return text;
  });
  app_.footer("Exit status: docs/guide/exit-codes.md. `strata COMMAND --help` says more.");
  add_records();
  add_scan();
  add_transfer();
  add_bench();
  add_info();
  add_server();
}

CLI::App* App::add(CLI::App& parent, const std::string& name, const std::string& help,
                   Command command) {
  CLI::App* made = parent.add_subcommand(name, help);
  Common& common = context_.common;
  made->add_option("--data", common.data, "Folder of the store [data]")->group("Store");
  made->add_option("--config", common.config, "Configuration file [DATA/strata.toml]")
      ->group("Store");
  made->add_option("--backend", common.backend, "Backend of a new store [hybridlog]")
      ->group("Store");
  made->add_option("--memory", common.memory, "Memory budget, such as 4GiB [a share of the RAM]")
      ->group("Store");
  made->add_flag("--json", common.json, "Answers as JSON, one object a line");
  made->callback([this, command = std::move(command)] { chosen_ = command; });
  return made;
}

void App::add_form(CLI::App& command, Form& form, bool with_raw) {
  command.add_flag_callback("--hex", [&form] { form = Form::hex; }, "Keys and values in hex");
  if (with_raw) {
    command.add_flag_callback(
        "--raw", [&form] { form = Form::raw; }, "Values as they are, with no line end or escape");
  }
}

void App::add_records() {
  CLI::App* get =
      add(app_, "get", "Print the value of a key", [this] { return run_get(context_, record_); });
  CLI::App* put =
      add(app_, "put", "Set the value of a key", [this] { return run_put(context_, record_); });
  CLI::App* del = add(app_, "del", "Remove keys; print how many there were",
                      [this] { return run_del(context_, record_); });
  CLI::App* exists = add(app_, "exists", "Print how many of the keys there are",
                         [this] { return run_exists(context_, record_); });
  for (CLI::App* command : {get, put, del, exists}) {
    const bool many = command == del || command == exists;
    if (many) {
      command->add_option("key", record_.keys, "Keys")->required();
    } else {
      command->add_option("key", record_.key, "Key")->required();
    }
    command->add_option("--keyspace", record_.keyspace, "Keyspace")->capture_default_str();
    add_form(*command, record_.form, command == get);
  }
  put->add_option("value", record_.value, "Value; - for standard input")->required();
  put->add_option("--ttl", record_.ttl, "Time until it is gone, such as 10s or 24h");
  for (CLI::App* command : {get, exists}) {
    command->add_flag("--read-only", context_.common.read_only,
                      "Open without the lock, beside whoever has the store open");
  }
}

void App::add_scan() {
  CLI::App* scan = add(app_, "scan", "Print keys and values, in key order where there is one",
                       [this] { return run_scan(context_, scan_); });
  scan->add_option("--keyspace", scan_.keyspace, "Keyspace")->capture_default_str();
  scan->add_option("--prefix", scan_.prefix, "Only keys that begin so");
  scan->add_option("--begin", scan_.begin, "The first key");
  scan->add_option("--end", scan_.end, "The key to stop before");
  scan->add_option("--limit", scan_.limit, "At most so many; 0: all");
  scan->add_flag("--reverse", scan_.reverse, "From the end");
  scan->add_flag("--keys-only", scan_.keys_only, "No values");
  scan->add_flag("--read-only", context_.common.read_only,
                 "Open without the lock, beside whoever has the store open");
  add_form(*scan, scan_.form, true);
}

void App::add_transfer() {
  const CLI::IsMember forms({"ndjson", "csv", "folder"});
  CLI::App* import = add(app_, "import", "Read JSON lines, CSV rows or the files of a folder",
                         [this] { return run_import(context_, import_); });
  import->add_option("source", import_.path, "File or folder; - for standard input")->required();
  import->add_option("--format", import_.form, "ndjson, csv or folder [by the source]")
      ->check(forms);
  import->add_option("--key", import_.field, "Field or column that is the key [a counter]");
  import->add_option("--prefix", import_.prefix, "Goes before each key");
  import->add_option("--keyspace", import_.keyspace, "Keyspace")->capture_default_str();
  import->add_option("--durability", context_.common.durability,
                     "When what was read is safe from a power cut: none, interval or commit");
  import->add_flag("--skip-bad", import_.skip_bad, "Leave out broken lines; exit status 3");
  import->add_flag("--again", import_.again, "Begin anew, whatever was imported before");
  CLI::App* out = add(app_, "export", "Write a keyspace as JSON lines, CSV rows or files",
                      [this] { return run_export(context_, export_); });
  out->add_option("target", export_.path, "File or folder; - for standard output")->required();
  out->add_option("--format", export_.form, "ndjson, csv or folder [by the target]")->check(forms);
  out->add_option("--prefix", export_.prefix, "Only keys that begin so; off the files' names");
  out->add_option("--keyspace", export_.keyspace, "Keyspace")->capture_default_str();
  out->add_flag("--skip-bad", export_.skip_bad,
                "Leave out what the format cannot hold; exit status 3");
  out->add_flag("--again", export_.again, "Replace the target file");
  out->add_flag("--read-only", context_.common.read_only,
                "Open without the lock, beside whoever has the store open");
}

void App::add_bench() {
  CLI::App* bench = add(app_, "bench", "Measure the engine of a store with random reads and writes",
                        [this] { return run_bench(context_, bench_); });
  bench->add_option("--ops", bench_.operations, "Operations")->capture_default_str();
  bench->add_option("--keys", bench_.keys, "Keys, filled in first")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  bench->add_option("--value-size", bench_.value_bytes, "Bytes of a value")
      ->check(CLI::Range(0U, 16U << 20))
      ->capture_default_str();
  bench->add_option("--reads", bench_.reads_percent, "Per cent of the operations that read")
      ->check(CLI::Range(0U, 100U))
      ->capture_default_str();
  bench->add_option("--threads", bench_.threads, "Threads")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str();
  bench->add_option("--seed", bench_.seed, "Of keys and values")->capture_default_str();
  bench->add_option("--durability", context_.common.durability, "none, interval or commit");
}

void App::add_info() {
  CLI::App* stats =
      add(app_, "stats", "Print the figures of a store", [this] { return run_stats(context_); });
  CLI::App* doctor =
      add(app_, "doctor", "Say in words how a store and the machine below it are, with advice",
          [this] { return run_doctor(context_); });
  for (CLI::App* command : {stats, doctor}) {
    command->add_flag("--read-only", context_.common.read_only,
                      "Open without the lock, beside whoever has the store open");
  }
  add(app_, "verify", "Read all of a store and check it; beside whoever has it open",
      [this] { return run_verify(context_); });
  add(app_, "version", "Print version, formats and what is built in",
      [this] { return run_version(context_); });
  CLI::App* config = app_.add_subcommand("config", "Check or show the configuration");
  config->require_subcommand(1);
  CLI::App* check = add(*config, "check", "Say whether a configuration is right, and what is not",
                        [this] { return run_config_check(context_, config_file_); });
  check->add_option("file", config_file_, "The file [as --config]");
  CLI::App* show = add(*config, "show", "Print what is in effect",
                       [this] { return run_config_show(context_, origin_); });
  show->add_flag("--origin", origin_, "Say where each value comes from");
}

void App::add_server() {
  CLI::App* serve =
      add(app_, "serve", "Serve Redis clients", [this] { return run_serve(context_, serve_); });
  serve->add_option("--bind", serve_.addresses, "Addresses to listen on [127.0.0.1]");
  serve->add_option("--port", serve_.port, "TCP port; 0: any that is free [6379]")
      ->check(CLI::Range(0, 65535));
  serve->add_option("--unix-socket", serve_.unix_socket, "Path of a Unix socket");
  serve->add_option("--threads", serve_.threads, "Threads that serve clients [cores, at most 4]")
      ->check(CLI::Range(1, 256));
  serve->add_option("--durability", serve_.durability, "When a write is safe")
      ->check(CLI::IsMember({"none", "interval", "commit"}));
  serve->add_option("--password-file", serve_.password_file,
                    "File whose first line clients must AUTH with");
}

int App::report(const Result<ExitCode>& status) {
  if (!status) complain(status.error().to_string());
  const ExitCode code = status ? *status : context_.status_of(status.error());
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (!written && code == ExitCode::ok) {
    complain("standard output cannot be written");
    return static_cast<int>(ExitCode::failure);
  }
  return static_cast<int>(code);
}

int App::run(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are no errors to us, but exceptions of the parser.
    if (error.get_exit_code() == 0) return app_.exit(error);
    complain(std::string(error.what()) + " (see strata --help)");
    return static_cast<int>(ExitCode::usage);
  }
  return report(chosen_());
}

}  // namespace

int run(int argc, const char* const* argv) { return App().run(argc, argv); }

}  // namespace strata::cli
