#include "server/serve.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>

#include "base/log.h"
#include "base/parse.h"
#include "io/machine_memory.h"
#include "io/posix_file_system.h"
#include "server/machine.h"
#include "server/port_owner.h"
#include "server/serve_plan.h"
#include "server/server.h"
#include "server/system_notify.h"
#include "stack/open.h"
#include "strata/capabilities.h"
#include "strata/version.h"

namespace strata::server {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitDamaged = 4;
constexpr int kExitLocked = 11;
constexpr int kExitInterrupted = 130;

int fail(const std::string& sentence, int exit_code = kExitFailed) {
  std::fprintf(stderr, "strata: %s\n", sentence.c_str());
  return exit_code;
}

int fail(const Error& error, int exit_code = kExitFailed) {
  return fail(error.to_string(), exit_code);
}

// SIGTERM and SIGINT are waited for, not handled: all threads of the program start after this.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

void wait_for_stop(const sigset_t& signals, const Instance& instance) {
  const timespec look_again{.tv_sec = 0, .tv_nsec = 100'000'000};
  while (!instance.stop_requested.load(std::memory_order_relaxed)) {
    if (::sigtimedwait(&signals, nullptr, &look_again) > 0) return;
  }
}

// Whoever interrupts a second time does not want to wait for the stop.
void let_interrupt_end(const sigset_t& signals) {
  std::signal(SIGINT, [](int) { ::_exit(kExitInterrupted); });
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// Each client takes a descriptor, and the store some: as many clients as there can be.
void make_room_for_clients(NetworkSettings& network) {
  constexpr std::uint64_t kOthers = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const std::uint64_t wanted = network.clients_max.load(std::memory_order_relaxed) + kOthers;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  const std::uint64_t possible =
      limit.rlim_cur > 2 * kOthers ? limit.rlim_cur - kOthers : limit.rlim_cur / 2;
  network.clients_max.store(possible, std::memory_order_relaxed);
  log::warning("W0301", "server", "fewer clients than configured: the system's limit of open files",
               {{"clients_max", possible}, {"open_files", std::uint64_t{limit.rlim_cur}}});
}

std::string durability_line(Store& store, const Config& config) {
  const OptionValues& storage = config.state().section("storage").values;
  const std::string& chosen = storage.text("durability");
  if (store.folder().empty() || store.engine().limits().durability_max == Durability::none) {
    return "durability: none, this store keeps nothing safe from a crash";
  }
  if (chosen == "commit") return "durability: every write is on disk before it is acknowledged";
  if (chosen == "none") return "durability: none, the system writes when it likes";
  const std::int64_t ms = storage.number("interval");
  const std::string interval =
      ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
  const bool can_commit = store.engine().limits().durability_max == Durability::commit;
  return "durability: fsync every " + interval +
         (can_commit ? " (change: --durability commit)" : ", the most that this engine can");
}

struct Begin {
  bool new_store = false;
  std::int64_t started_ns = 0;
};

void print_start(const Begin& begin, Store& store, const ServePlan& plan, std::uint16_t port) {
  std::printf("strata %s  data %s%s  engine %s  format %u\n", STRATA_VERSION,
              store.folder().empty() ? "-" : store.folder().c_str(),
              store.folder().empty() ? "" : (begin.new_store ? " (new)" : " (existing)"),
              stack::backend_of(store).c_str(), stack::kStoreFormat);
  std::string disk;
  if (!store.folder().empty()) {
    disk = "   disk free " + base::human_size(disk_free_bytes(store.folder()));
  }
  std::printf("memory %s of %s (budget)%s   cores %u\n",
              base::human_size(plan.memory_bytes).c_str(),
              base::human_size(io::ram_bytes()).c_str(), disk.c_str(), usable_cores());
  std::printf("%s\n", durability_line(store, plan.config).c_str());
  if (store.engine().as<AtomicBatch>() == nullptr) {
    std::printf("this store writes one key at a time: commands that write several are refused\n");
  }
  std::string places;
  for (const std::string& address : plan.listen.addresses) {
    const bool six = address.find(':') != std::string::npos;
    places += " " + (six ? "[" + address + "]" : address) + ":" + std::to_string(port);
  }
  if (!plan.listen.unix_socket.empty()) places += " " + plan.listen.unix_socket;
  std::printf("RESP%s\n", places.c_str());
  const std::int64_t took_ns = base::system_clock().monotonic_ns() - begin.started_ns;
  const std::string which = port == 6379 ? "" : "-p " + std::to_string(port) + " ";
  std::printf("ready in %.2f s - try: redis-cli %sset hello world\n",
              static_cast<double>(took_ns) / 1e9, which.c_str());
  std::fflush(stdout);
}

int serve_store(const ServeOptions& options, ServePlan& plan, std::unique_ptr<Listener> listener,
                std::unique_ptr<Store> store, const Begin& begin, const sigset_t& signals) {
  make_room_for_clients(plan.settings->network);
  const std::uint16_t port = listener->port();
  ServerOptions server_options;
  server_options.threads = plan.threads;
  server_options.backend_name = stack::backend_of(*store);
  server_options.data_folder = store->folder();
  server_options.config_path = options.config_path;
  Result<std::unique_ptr<Server>> server =
      Server::start(store->engine(), base::system_clock(), std::move(plan.settings),
                    std::move(listener), server_options);
  if (!server) return fail(server.error());
  print_start(begin, *store, plan, port);
  system_notify("READY=1");

  wait_for_stop(signals, (*server)->instance());
  let_interrupt_end(signals);
  system_notify("STOPPING=1");
  (*server)->stop();
  server->reset();
  if (const Result<> closed = store->close(); !closed) return fail(closed.error());
  return 0;
}

}  // namespace

int serve(const ServeOptions& options) {
  Begin begin;
  begin.started_ns = base::system_clock().monotonic_ns();
  const sigset_t signals = block_stop_signals();
  log::set_sink_stderr();
  const Registry registry = Registry::builtin();
  Result<ServePlan> plan = plan_serve(options, registry);
  if (!plan) return fail(plan.error());

  // First the port, so that a second server changes nothing; who knocks now waits until we serve.
  Result<std::unique_ptr<Listener>> listener = Listener::open(plan->listen);
  if (!listener) {
    if (listener.error().code() != Code::busy) return fail(listener.error());
    return fail("cannot listen: " + listener.error().message() + " by " +
                port_owner(plan->listen.port) + "; choose another with --port");
  }
  begin.new_store = plan->data_folder.empty() ||
                    stack::inspect(io::posix(), plan->data_folder) == stack::FolderState::absent;
  OpenOptions open_options;
  open_options.memory_bytes = plan->memory_bytes;
  Result<std::unique_ptr<Store>> store = open(plan->config, open_options, registry);
  if (!store) {
    const Code code = store.error().code();
    if (code == Code::corruption) return fail(store.error(), kExitDamaged);
    return fail(store.error(), code == Code::busy ? kExitLocked : kExitFailed);
  }
  return serve_store(options, *plan, *std::move(listener), *std::move(store), begin, signals);
}

}  // namespace strata::server
