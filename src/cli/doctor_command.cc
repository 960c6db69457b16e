#include "cli/doctor_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/parse.h"
#include "cli/text.h"
#include "io/files.h"
#include "io/machine_memory.h"
#include "io/posix_file_system.h"
#include "io/read_queue.h"
#include "stack/open.h"
#include "stack/store_file.h"

namespace strata::cli {

namespace {

enum class Judgment : std::uint8_t { ok, warning, bad };
constexpr std::array<std::string_view, 3> kJudgments = {"ok", "warning", "bad"};

struct Finding {
  std::string_view about;
  Judgment judgment = Judgment::ok;
  std::string says;
  std::string advice{};  ///< empty where all is well
};

std::string size(double bytes) { return base::human_size(static_cast<std::uint64_t>(bytes)); }

/// What an engine says of itself. Each question is answered where the engine knows what it asks.
class Examination {
 public:
  Examination(const Stats& stats, const std::string& folder) : stats_(stats), folder_(folder) {}

  std::vector<Finding> run() {
    memory();
    regions();
    index();
    versions();
    amplification();
    volume();
    machine();
    return std::move(findings_);
  }

 private:
  std::optional<double> figure(std::string_view name) const {
    for (const Stats::Figure& each : stats_.more) {
      if (each.name == name) return each.value;
    }
    return std::nullopt;
  }
  double figure_or_0(std::string_view name) const { return figure(name).value_or(0); }
  void add(std::string_view about, Judgment judgment, std::string says, std::string advice = "") {
    findings_.push_back({about, judgment, std::move(says), std::move(advice)});
  }

  void memory() {
    const std::optional<double> budget = figure("memory_budget_bytes");
    if (!budget) return;
    const double log = figure_or_0("log_frames") * figure_or_0("log_frame_bytes");
    const double indexes = figure_or_0("index_bytes") + figure_or_0("ordered_bytes");
    const std::string says =
        fmt::format("{} of {}: log {}, indexes {}, read cache {}, old versions {}, large values {}",
                    base::human_size(stats_.bytes_memory), size(*budget), size(log), size(indexes),
                    size(figure_or_0("read_cache_bytes")), size(figure_or_0("old_versions_bytes")),
                    size(figure_or_0("extents_bytes_memory")));
    if (indexes > *budget * 0.8) {
      add("memory", Judgment::bad, says,
          "the indexes of the keys nearly fill it: new keys will be refused; raise `memory`");
    } else if (indexes > *budget * 0.5) {
      add("memory", Judgment::warning, says,
          "more than half of it are indexes, and what is left caches little: raise `memory`");
    } else {
      add("memory", Judgment::ok, says);
    }
  }

  void regions() {
    const std::optional<double> tail = figure("log_tail");
    if (!tail) return;
    const double begin = figure_or_0("log_begin");
    const double head = std::max(figure_or_0("log_head"), begin);
    const double read_only = std::max(figure_or_0("log_read_only"), head);
    add("log", Judgment::ok,
        fmt::format("addresses {:.0f} to {:.0f}: on the device only {}, in memory {} read-only and "
                    "{} that changes in place",
                    begin, *tail, size(head - begin), size(read_only - head),
                    size(*tail - read_only)));
  }

  void index() {
    const std::optional<double> load = figure("index_load");
    if (!load) return;
    const double buckets = std::max(figure_or_0("index_buckets"), 1.0);
    const double overflow = figure_or_0("index_overflow_buckets") / buckets;
    const std::string says =
        fmt::format("{:.0f} entries, load {:.0f} %, {:.1f} % of the buckets overflow",
                    figure_or_0("index_entries"), *load * 100, overflow * 100);
    if (*load > 1.2) {
      add("index", Judgment::warning, says, "it is too small and could not grow: raise `memory`");
    } else {
      add("index", Judgment::ok, says);
    }
  }

  void versions() {
    const std::optional<double> kept = figure("old_versions");
    if (!kept) return;
    add("versions", Judgment::ok,
        fmt::format("{} snapshots are open; {:.0f} old versions are kept for them ({})",
                    stats_.snapshots, *kept, size(figure_or_0("old_versions_bytes"))));
  }

  void amplification() {
    const std::optional<double> ratio = figure("space_amplification");
    if (!ratio) return;
    constexpr double kWorthALook = 256.0 * 1024 * 1024;
    const std::string says = fmt::format("the log takes {:.2f} times its live records; {} on disk",
                                         *ratio, base::human_size(stats_.bytes_disk));
    if (*ratio > 2 && figure_or_0("log_bytes") > kWorthALook) {
      add("space", Judgment::warning, says,
          "compaction is behind, or a snapshot that is kept open holds it back");
    } else {
      add("space", Judgment::ok, says);
    }
  }

  void volume() {
    const Result<io::SpaceInfo> space = io::posix().space(folder_);
    if (!space) return;
    const std::string says = base::human_size(space->free_bytes) + " are free";
    if (space->free_bytes < std::uint64_t{64} << 20) {
      add("disk", Judgment::bad, says, "writes are about to fail: make room");
    } else if (space->free_bytes < stats_.bytes_disk / 2) {
      add("disk", Judgment::warning, says, "less than half of what the store takes");
    } else {
      add("disk", Judgment::ok, says);
    }
  }

  void machine() {
    const Result<std::unique_ptr<io::ReadQueue>> queue = io::make_read_queue(io::posix());
    const auto direct =
        io::posix().open_direct(io::join_path(folder_, stack::kStoreFileName), io::OpenMode::read);
    const bool has_uring = queue && (*queue)->kind() == "io_uring";
    const bool has_direct = direct && (*direct)->is_direct();
    std::string says = fmt::format("reads by {}, {} direct I/O", queue ? (*queue)->kind() : "one",
                                   has_direct ? "with" : "without");
    const std::optional<std::uint64_t> limit = io::memory_limit_bytes();
    says += fmt::format(", {} of memory", base::human_size(io::ram_bytes()));
    if (limit) says += fmt::format(", {} by its control group", base::human_size(*limit));
    const double budget = figure_or_0("memory_budget_bytes");
    if (limit && budget > static_cast<double>(*limit) * 0.95) {
      add("machine", Judgment::bad, says, "`memory` is more than the control group allows");
    } else if (budget > static_cast<double>(io::ram_bytes()) * 0.9) {
      add("machine", Judgment::bad, says, "`memory` is more than the machine has to spare");
    } else if (!has_direct) {
      add("machine", Judgment::warning, says,
          "the page cache then holds records a second time, beyond `memory`");
    } else if (!has_uring) {
      add("machine", Judgment::warning, says,
          "cold reads cost more: the kernel or container forbids io_uring");
    } else {
      add("machine", Judgment::ok, says);
    }
  }

  const Stats stats_;
  const std::string folder_;
  std::vector<Finding> findings_;
};

std::string line_of(const Finding& finding, bool json) {
  const std::string_view judgment = kJudgments[static_cast<std::size_t>(finding.judgment)];
  if (json) {
    std::string text =
        fmt::format("{{\"about\":\"{}\",\"judgment\":\"{}\",\"says\":", finding.about, judgment);
    append_json_string(text, finding.says);
    text += ",\"advice\":";
    append_json_string(text, finding.advice);
    return text + "}\n";
  }
  std::string text = fmt::format("{:<10}{:<9}{}\n", finding.about, judgment, finding.says);
  if (!finding.advice.empty()) text += fmt::format("{:<19}-> {}\n", "", finding.advice);
  return text;
}

}  // namespace

Result<ExitCode> run_doctor(Context& context) {
  STRATA_LET(const std::unique_ptr<Store> store, context.open_store(false));
  Engine& engine = store->engine();
  const Stats stats = engine.stats();
  std::vector<Finding> findings = Examination(stats, store->folder()).run();
  findings.insert(findings.begin(),
                  Finding{"store", Judgment::ok,
                          fmt::format("{}, {} keys, {} alive", stack::backend_of(*store),
                                      stats.keys, base::human_size(stats.bytes_live))});
  STRATA_TRY(store->close());
  bool bad = false;
  for (const Finding& finding : findings) {
    print(stdout, line_of(finding, context.common.json));
    bad = bad || finding.judgment == Judgment::bad;
  }
  return bad ? ExitCode::failure : ExitCode::ok;
}

}  // namespace strata::cli
