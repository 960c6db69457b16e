#include "server/info.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "server/words.h"

namespace strata::server {
namespace {

// Collects lines of one section.
class Section {
 public:
  explicit Section(std::string_view name) : text_(fmt::format("# {}\r\n", name)) {}
  template <class T>
  void add(std::string_view field, const T& value) {
    text_ += fmt::format("{}:{}\r\n", field, value);
  }
  void zeros(std::initializer_list<std::string_view> fields) {
    for (const std::string_view field : fields) add(field, 0);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string human(std::uint64_t bytes) {
  constexpr std::string_view kUnits = "BKMGTP";
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{}B", bytes) : fmt::format("{:.2f}{}", size, kUnits[unit]);
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t system_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::string setting(const Instance& instance, std::string_view name) {
  const BytesView pattern = name;
  const auto found = instance.settings->matching(std::span(&pattern, 1));
  return found.empty() ? "" : found.begin()->second;
}

Result<std::string> server_section(Instance& instance) {
  utsname system{};
  uname(&system);
  const std::int64_t now_ms = instance.clock.wall_ms();
  const std::int64_t up_s = (now_ms - instance.started_ms) / 1000;
  Section out("Server");
  out.add("redis_version", kRedisVersion);
  out.add("strata_version", kStrataVersion);
  out.add("redis_git_sha1", "00000000");
  out.add("redis_git_dirty", 0);
  out.add("redis_build_id", "0");
  out.add("redis_mode", "standalone");
  out.add("os", fmt::format("{} {} {}", system.sysname, system.release, system.machine));
  out.add("arch_bits", 64);
  out.add("monotonic_clock", "POSIX clock_gettime");
  out.add("multiplexing_api", "epoll");
  out.add("atomicvar_api", "c11-builtin");
  out.add("gcc_version", fmt::format("{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__));
  out.add("process_id", getpid());
  out.add("process_supervised", std::getenv("NOTIFY_SOCKET") != nullptr ? "systemd" : "no");
  out.add("run_id", instance.run_id);
  out.add("tcp_port", setting(instance, "port"));
  out.add("server_time_usec", now_ms * 1000);
  out.add("uptime_in_seconds", up_s);
  out.add("uptime_in_days", up_s / 86'400);
  out.add("hz", setting(instance, "hz"));
  out.add("configured_hz", setting(instance, "hz"));
  out.add("lru_clock", (now_ms / 1000) & 0xFFFFFF);
  out.add("executable", "strata");
  out.add("config_file", instance.config_path);
  out.add("io_threads_active", instance.loops > 1 ? 1 : 0);
  return out.text();
}

Result<std::string> clients_section(Instance& instance) {
  std::size_t blocked = 0;
  std::uint64_t input_max = 0;
  std::uint64_t output_max = 0;
  instance.clients.visit([&](Session& session) {
    if (session.blocked.load(std::memory_order_relaxed)) ++blocked;
    input_max = std::max(input_max, session.query_bytes.load(std::memory_order_relaxed));
    output_max = std::max(output_max, session.output_bytes.load(std::memory_order_relaxed));
  });
  Section out("Clients");
  out.add("connected_clients", instance.clients.count());
  out.add("cluster_connections", 0);
  out.add("maxclients", setting(instance, "maxclients"));
  out.add("client_recent_max_input_buffer", input_max);
  out.add("client_recent_max_output_buffer", output_max);
  out.add("blocked_clients", blocked);
  out.zeros({"tracking_clients", "clients_in_timeout_table"});
  return out.text();
}

Result<std::string> memory_section(Instance& instance) {
  const std::uint64_t resident = resident_bytes();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const std::uint64_t peak = std::max(resident, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
  const std::uint64_t engine = instance.engine.stats().bytes_memory;
  Section out("Memory");
  const auto both = [&](std::string_view name, std::uint64_t bytes) {
    out.add(name, bytes);
    out.add(fmt::format("{}_human", name), human(bytes));
  };
  both("used_memory", resident);
  both("used_memory_rss", resident);
  both("used_memory_peak", peak);
  out.add("used_memory_peak_perc",
          fmt::format("{:.2f}%", 100.0 * static_cast<double>(resident) /
                                     static_cast<double>(std::max<std::uint64_t>(peak, 1))));
  out.add("used_memory_overhead", resident > engine ? resident - engine : 0);
  out.add("used_memory_startup", instance.startup_bytes);
  out.add("used_memory_dataset", engine);
  out.add("used_memory_dataset_perc",
          fmt::format("{:.2f}%", 100.0 * static_cast<double>(engine) /
                                     static_cast<double>(std::max<std::uint64_t>(resident, 1))));
  out.add("allocator_allocated", resident);
  out.add("allocator_active", resident);
  out.add("allocator_resident", resident);
  both("total_system_memory", system_bytes());
  out.zeros({"used_memory_lua", "used_memory_vm_eval"});
  out.add("used_memory_lua_human", "0B");
  out.zeros({"used_memory_scripts_eval", "number_of_cached_scripts", "number_of_functions",
             "number_of_libraries", "used_memory_vm_functions", "used_memory_vm_total"});
  out.add("used_memory_vm_total_human", "0B");
  out.zeros({"used_memory_functions", "used_memory_scripts"});
  out.add("used_memory_scripts_human", "0B");
  const std::string limit = setting(instance, "maxmemory");
  out.add("maxmemory", limit);
  out.add("maxmemory_human", human(static_cast<std::uint64_t>(integer_of(limit).value_or(0))));
  out.add("maxmemory_policy", setting(instance, "maxmemory-policy"));
  for (const std::string_view name : {"allocator_frag", "allocator_rss", "rss_overhead"}) {
    out.add(fmt::format("{}_ratio", name), "1.00");
    out.add(fmt::format("{}_bytes", name), 0);
  }
  out.add("mem_fragmentation_ratio", "1.00");
  out.zeros({"mem_fragmentation_bytes", "mem_not_counted_for_evict", "mem_replication_backlog",
             "mem_total_replication_buffers", "mem_clients_slaves"});
  std::uint64_t buffers = 0;
  instance.clients.visit([&](Session& session) {
    buffers += session.query_bytes.load(std::memory_order_relaxed) +
               session.output_bytes.load(std::memory_order_relaxed);
  });
  out.add("mem_clients_normal", buffers);
  out.zeros({"mem_cluster_links", "mem_aof_buffer"});
  out.add("mem_allocator", "libc");
  out.zeros({"active_defrag_running", "lazyfree_pending_objects", "lazyfreed_objects"});
  return out.text();
}

Result<std::string> persistence_section(Instance& instance) {
  Section out("Persistence");
  out.zeros(
      {"loading", "async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"});
  out.add("current_fork_perc", "0.00");
  out.zeros({"current_save_keys_processed", "current_save_keys_total"});
  out.add("rdb_changes_since_last_save",
          instance.statistics.changes.load(std::memory_order_relaxed));
  out.add("rdb_bgsave_in_progress", 0);
  out.add("rdb_last_save_time", instance.started_ms / 1000);
  out.add("rdb_last_bgsave_status", "ok");
  out.add("rdb_last_bgsave_time_sec", -1);
  out.add("rdb_current_bgsave_time_sec", -1);
  out.zeros({"rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired",
             "rdb_last_load_keys_loaded", "aof_enabled", "aof_rewrite_in_progress",
             "aof_rewrite_scheduled"});
  out.add("aof_last_rewrite_time_sec", -1);
  out.add("aof_current_rewrite_time_sec", -1);
  out.add("aof_last_bgrewrite_status", "ok");
  out.zeros({"aof_rewrites", "aof_rewrites_consecutive_failures"});
  out.add("aof_last_write_status", "ok");
  out.zeros({"aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"});
  return out.text();
}

Result<std::string> stats_section(Instance& instance) {
  const auto relaxed = std::memory_order_relaxed;
  Statistics& counted = instance.statistics;
  Section out("Stats");
  out.add("total_connections_received", counted.connections.load(relaxed));
  out.add("total_commands_processed", counted.commands.load(relaxed));
  out.add("instantaneous_ops_per_sec", counted.commands_per_second(instance.clock.monotonic_ns()));
  out.add("total_net_input_bytes", counted.input_bytes.load(relaxed));
  out.add("total_net_output_bytes", counted.output_bytes.load(relaxed));
  out.zeros({"total_net_repl_input_bytes", "total_net_repl_output_bytes"});
  for (const std::string_view name : {"input", "output", "input_repl", "output_repl"}) {
    out.add(fmt::format("instantaneous_{}_kbps", name), "0.00");
  }
  out.add("rejected_connections", counted.connections_refused.load(relaxed));
  out.zeros({"sync_full", "sync_partial_ok", "sync_partial_err"});
  out.add("expired_keys", counted.expired.load(relaxed));
  out.add("expired_stale_perc", "0.00");
  out.zeros({"expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds", "evicted_keys",
             "evicted_clients", "total_eviction_exceeded_time", "current_eviction_exceeded_time"});
  out.add("keyspace_hits", counted.key_hits.load(relaxed));
  out.add("keyspace_misses", counted.key_misses.load(relaxed));
  out.zeros({"pubsub_channels", "pubsub_patterns", "pubsubshard_channels", "latest_fork_usec",
             "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys",
             "active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
             "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time",
             "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes",
             "unexpected_error_replies"});
  std::uint64_t errors = 0;
  for (const auto& [word, count] : counted.errors()) errors += count;
  out.add("total_error_replies", errors);
  out.zeros({"dump_payload_sanitizations", "total_reads_processed", "total_writes_processed",
             "io_threaded_reads_processed", "io_threaded_writes_processed", "reply_buffer_shrinks",
             "reply_buffer_expands"});
  return out.text();
}

Result<std::string> replication_section(Instance& instance) {
  Section out("Replication");
  out.add("role", "master");
  out.add("connected_slaves", 0);
  out.add("master_failover_state", "no-failover");
  out.add("master_replid", instance.run_id);
  out.add("master_replid2", std::string(40, '0'));
  out.add("master_repl_offset", 0);
  out.add("second_repl_offset", -1);
  out.add("repl_backlog_active", 0);
  out.add("repl_backlog_size", setting(instance, "repl-backlog-size"));
  out.zeros({"repl_backlog_first_byte_offset", "repl_backlog_histlen"});
  return out.text();
}

Result<std::string> cpu_section(Instance&) {
  rusage self{};
  rusage children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  Section out("CPU");
  const auto add = [&](std::string_view name, const timeval& time) {
    out.add(name, fmt::format("{:.6f}", seconds(time)));
  };
  add("used_cpu_sys", self.ru_stime);
  add("used_cpu_user", self.ru_utime);
  add("used_cpu_sys_children", children.ru_stime);
  add("used_cpu_user_children", children.ru_utime);
  add("used_cpu_sys_main_thread", self.ru_stime);
  add("used_cpu_user_main_thread", self.ru_utime);
  return out.text();
}

Result<std::string> modules_section(Instance&) { return Section("Modules").text(); }

Result<std::string> commandstats_section(Instance& instance) {
  Section out("Commandstats");
  const auto relaxed = std::memory_order_relaxed;
  for (const Command* command : instance.commands.rows()) {
    const std::uint64_t calls = command->calls.load(relaxed);
    const std::uint64_t rejected = command->rejected.load(relaxed);
    if (calls == 0 && rejected == 0) continue;
    const std::uint64_t spent_us = command->microseconds.load(relaxed);
    out.add(
        "cmdstat_" + command->full_name,
        fmt::format("calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
                    calls, spent_us,
                    calls == 0 ? 0.0 : static_cast<double>(spent_us) / static_cast<double>(calls),
                    rejected, command->failed.load(relaxed)));
  }
  return out.text();
}

Result<std::string> errorstats_section(Instance& instance) {
  Section out("Errorstats");
  for (const auto& [word, count] : instance.statistics.errors()) {
    out.add("errorstat_" + word, fmt::format("count={}", count));
  }
  return out.text();
}

Result<std::string> latencystats_section(Instance& instance) {
  Section out("Latencystats");
  for (const Command* command : instance.commands.rows()) {
    if (command->times.calls() == 0) continue;
    out.add("latency_percentiles_usec_" + command->full_name,
            fmt::format("p50={},p99={},p99.9={}", command->times.percentile_us(50),
                        command->times.percentile_us(99), command->times.percentile_us(99.9)));
  }
  return out.text();
}

Result<std::string> cluster_section(Instance&) {
  Section out("Cluster");
  out.add("cluster_enabled", 0);
  return out.text();
}

Result<std::string> keyspace_section(Instance& instance) {
  Section out("Keyspace");
  for (int database = 0; database < instance.databases->count(); ++database) {
    STRATA_LET(const std::uint64_t keys,
               instance.engine.count(instance.databases->space(database)));
    if (keys > 0) {
      out.add(fmt::format("db{}", database), fmt::format("keys={},expires=0,avg_ttl=0", keys));
    }
  }
  return out.text();
}

Result<std::string> strata_section(Instance& instance) {
  Section out("Strata");
  const Stats stats = instance.engine.stats();
  out.add("strata_backend", instance.backend_name);
  out.add("strata_data", instance.data_folder);
  out.add("strata_atomic_batches", instance.atomic_batches ? "yes" : "no");
  out.add("strata_bytes_live", stats.bytes_live);
  out.add("strata_bytes_memory", stats.bytes_memory);
  out.add("strata_bytes_disk", stats.bytes_disk);
  out.add("strata_snapshots", stats.snapshots);
  for (const Stats::Figure& figure : stats.more) {
    out.add("strata_" + figure.name, fmt::format("{:.15g}", figure.value));
  }
  return out.text();
}

struct SectionRow {
  std::string_view name;
  bool by_default;
  Result<std::string> (*write)(Instance& instance);
};

constexpr std::array kSections = {
    SectionRow{"server", true, server_section},
    SectionRow{"clients", true, clients_section},
    SectionRow{"memory", true, memory_section},
    SectionRow{"persistence", true, persistence_section},
    SectionRow{"stats", true, stats_section},
    SectionRow{"replication", true, replication_section},
    SectionRow{"cpu", true, cpu_section},
    SectionRow{"modules", true, modules_section},
    SectionRow{"commandstats", false, commandstats_section},
    SectionRow{"errorstats", true, errorstats_section},
    SectionRow{"latencystats", false, latencystats_section},
    SectionRow{"cluster", true, cluster_section},
    SectionRow{"keyspace", true, keyspace_section},
    SectionRow{"strata", true, strata_section},
};

}  // namespace

Result<std::string> info_text(Instance& instance, std::span<const BytesView> sections) {
  bool all = false;
  bool defaults = sections.empty();
  for (const BytesView asked : sections) {
    all = all || is_word(asked, "all") || is_word(asked, "everything");
    defaults = defaults || is_word(asked, "default");
  }
  std::string text;
  for (const SectionRow& section : kSections) {
    bool wanted = all || (defaults && section.by_default);
    for (const BytesView asked : sections) wanted = wanted || is_word(asked, section.name);
    if (!wanted) continue;
    STRATA_LET(const std::string part, section.write(instance));
    if (!text.empty()) text += "\r\n";
    text += part;
  }
  return text;
}

}  // namespace strata::server
