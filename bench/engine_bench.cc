// engine_bench: YCSB's workloads A, B, C and F over every backend, in one table.
//
//   A  half reads, half puts          C  reads
//   B  19 reads to a put              F  half reads, half read-modify-writes by update()
//
// The backends take turns within each round, so that a busy moment of the machine hits all of them.
// A cell is the median of the rounds in thousands of operations a second, and how far the rounds
// lie apart. Every read is checked; after F the counters in the values must have grown by exactly
// the updates that were acknowledged.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/coding.h"
#include "io/posix_file_system.h"
#include "key_chooser.h"
#include "must.h"
#include "report.h"
#include "scratch_folder.h"
#include "strata/backend.h"
#include "strata/capabilities.h"

namespace strata::bench {
namespace {

constexpr Keyspace kSpace{16};
constexpr double kZipf = 0.99;
constexpr std::size_t kValueBytesMin = 16;

struct Settings {
  std::uint64_t records = 20'000;
  std::uint64_t value_bytes = 1000;
  unsigned threads = 1;
  unsigned rounds = 3;
  std::int64_t run_ms = 500;
  std::string durability = "none";
  std::string folder = std::filesystem::temp_directory_path().string();
  std::vector<std::string> stacks;  ///< "memory", "metrics+memory"; none: every backend
};

struct Workload {
  char name;
  std::uint64_t reads_of_20;
  bool updates;  ///< what is no read is an update(), not a put
};
constexpr std::array<Workload, 4> kWorkloads = {
    Workload{'A', 10, false}, {'B', 19, false}, {'C', 20, false}, {'F', 10, true}};
constexpr std::array<double, 2> kThetas = {0, kZipf};

// --- Records: the key is "user" and a number; the value begins with that number and a counter.

Bytes key_of(std::uint64_t number) { return fmt::format("user{:012}", number); }

Bytes value_of(std::uint64_t number, std::uint64_t counter, std::uint64_t bytes) {
  Bytes value;
  base::put_u64_le(value, number);
  base::put_u64_le(value, counter);
  value += base::Random(number).bytes(static_cast<std::size_t>(bytes) - kValueBytesMin);
  return value;
}

void check_value(BytesView value, std::uint64_t number, std::uint64_t bytes) {
  if (value.size() != bytes || base::load_u64_le(value.data()) != number) {
    give_up(fmt::format("a read of {} gave another record's value", key_of(number)));
  }
}

// --- One engine, opened in a folder of its own

struct Subject {
  std::string name;
  std::unique_ptr<ScratchFolder> folder;
  std::unique_ptr<Engine> engine;
};

Durability durability_of(const std::string& name) {
  if (name == "commit") return Durability::commit;
  return name == "interval" ? Durability::interval : Durability::none;
}

std::unique_ptr<Engine> open_stack(const Registry& registry, const std::string& stack,
                                   const Environment& environment) {
  const std::size_t plus = stack.rfind('+');
  const std::string backend_name = plus == std::string::npos ? stack : stack.substr(plus + 1);
  const BackendSpec* const backend = registry.backend(backend_name);
  if (backend == nullptr) give_up("there is no backend " + backend_name);
  std::unique_ptr<Engine> engine = must(backend->open(OptionValues(backend->options), environment));
  if (plus == std::string::npos) return engine;
  const LayerSpec* const layer = registry.layer(stack.substr(0, plus));
  if (layer == nullptr) give_up("there is no layer " + stack.substr(0, plus));
  return must(layer->wrap(std::move(engine), OptionValues(layer->options), environment));
}

Subject open_subject(const Registry& registry, const std::string& stack, const Settings& settings) {
  Subject subject{stack, std::make_unique<ScratchFolder>(settings.folder), nullptr};
  Environment environment{
      .files = io::posix(), .clock = base::system_clock(), .folder = subject.folder->path()};
  environment.durability = durability_of(settings.durability);
  subject.engine = open_stack(registry, stack, environment);
  return subject;
}

// --- Running

/// In thousands of records a second.
double load(Subject& subject, const Settings& settings) {
  const std::int64_t start_ns = base::system_clock().monotonic_ns();
  for (std::uint64_t i = 0; i < settings.records; ++i) {
    const Bytes key = key_of(i);
    must(subject.engine->put({kSpace, key}, value_of(i, 0, settings.value_bytes)));
  }
  const double seconds = seconds_since(start_ns);
  const std::uint64_t count = must(subject.engine->count(kSpace));
  if (count != settings.records) give_up(fmt::format("{} counts {}", subject.name, count));
  return static_cast<double>(settings.records) / seconds / 1000;
}

Result<> count_up(const Current& current, Update& update) {
  update.action = Update::Action::put;
  update.value = current.value;
  if (update.value.size() < kValueBytesMin) return Error(Code::corruption, "a record has gone");
  base::store_u64_le(update.value.data() + 8, base::load_u64_le(update.value.data() + 8) + 1);
  return {};
}

struct Done {
  std::uint64_t operations = 0;
  std::uint64_t updates = 0;
};

Done run_thread(Engine& engine, const Workload& workload, const Settings& settings,
                KeyChooser chooser, const std::atomic<bool>& stop) {
  Done done;
  Value value;
  const Bytes filler = value_of(0, 0, settings.value_bytes);
  Bytes written = filler;
  while (!stop.load(std::memory_order_relaxed)) {
    const std::uint64_t number = chooser.next();
    const Bytes key = key_of(number);
    if (chooser.random().uniform(20) < workload.reads_of_20) {
      if (!must(engine.get({kSpace, key}, value))) give_up(key + " has gone");
      check_value(value.view(), number, settings.value_bytes);
    } else if (workload.updates) {
      must(engine.update({kSpace, key}, [](const Current& current, Update& update) {
        return count_up(current, update);
      }));
      ++done.updates;
    } else {
      base::store_u64_le(written.data(), number);
      must(engine.put({kSpace, key}, written));
    }
    ++done.operations;
  }
  return done;
}

std::uint64_t sum_of_counters(Engine& engine, const Settings& settings) {
  Value value;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < settings.records; ++i) {
    const Bytes key = key_of(i);
    if (!must(engine.get({kSpace, key}, value))) give_up(key + " has gone");
    check_value(value.view(), i, settings.value_bytes);
    sum += base::load_u64_le(value.data() + 8);
  }
  return sum;
}

double run(Subject& subject, const Workload& workload, const Settings& settings,
           const KeyChooser& chooser, std::uint64_t seed) {
  Engine& engine = *subject.engine;
  const std::uint64_t before = workload.updates ? sum_of_counters(engine, settings) : 0;
  std::atomic<bool> stop{false};  // relaxed: joining the threads orders the rest
  std::vector<Done> done(settings.threads);
  std::vector<std::thread> threads;
  const std::int64_t start_ns = base::system_clock().monotonic_ns();
  for (unsigned t = 0; t < settings.threads; ++t) {
    threads.emplace_back([&, t] {
      KeyChooser own = chooser;
      own.reseed(base::mix64(seed + t));
      done[t] = run_thread(engine, workload, settings, own, stop);
    });
  }
  // What the engine's owner does beside: upkeep, ten times a second.
  while (seconds_since(start_ns) * 1000 < static_cast<double>(settings.run_ms)) {
    base::system_clock().sleep_ms(std::min<std::int64_t>(settings.run_ms, 100));
    must(engine.maintain(1000));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const double seconds = seconds_since(start_ns);
  Done all;
  for (const Done& each : done) {
    all.operations += each.operations;
    all.updates += each.updates;
  }
  if (workload.updates && sum_of_counters(engine, settings) != before + all.updates) {
    give_up(fmt::format("{} lost an update", subject.name));
  }
  return static_cast<double>(all.operations) / seconds / 1000;
}

// --- Showing

void print_head(const Settings& settings) {
  print_machine();
  fmt::print("{} records of {} bytes; {} threads; durability {}; {} rounds of {} ms\n\n",
             settings.records, settings.value_bytes, settings.threads, settings.durability,
             settings.rounds, settings.run_ms);
}

std::string column_of(const Workload& workload, double theta) {
  return fmt::format("{} {}", workload.name, theta == 0 ? "uniform" : "zipf");
}

int run_all(Settings settings) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was measured is shown before the engines close
  const Registry registry = Registry::builtin();
  if (settings.stacks.empty()) {
    for (const BackendSpec& backend : registry.backends()) {
      settings.stacks.emplace_back(backend.name);
    }
    if (registry.layer("metrics") != nullptr) settings.stacks.emplace_back("metrics+memory");
  }
  print_head(settings);
  Table table("kops/s");
  std::vector<Subject> subjects;
  for (const std::string& stack : settings.stacks) {
    subjects.push_back(open_subject(registry, stack, settings));
    fmt::print(stderr, "loading {}\n", stack);
    table.add(stack, "load", load(subjects.back(), settings));
  }
  const std::array<KeyChooser, 2> choosers = {KeyChooser(settings.records, kThetas[0], 1),
                                              KeyChooser(settings.records, kThetas[1], 1)};
  for (unsigned round = 0; round < settings.rounds; ++round) {
    for (const Workload& workload : kWorkloads) {
      for (std::size_t d = 0; d < kThetas.size(); ++d) {
        const std::string column = column_of(workload, kThetas[d]);
        fmt::print(stderr, "round {}: {}\n", round + 1, column);
        for (Subject& subject : subjects) {
          const std::uint64_t seed = round * 100 + d * 10;
          const double kops = run(subject, workload, settings, choosers[d], seed);
          table.add(subject.name, column, kops);
        }
      }
    }
  }
  table.print();
  for (Subject& subject : subjects) {
    must(subject.engine->close());
    subject.engine.reset();
  }
  return 0;
}

}  // namespace
}  // namespace strata::bench

int main(int argc, char** argv) {
  strata::bench::Settings settings;
  CLI::App app{"YCSB A, B, C and F over every backend"};
  app.add_option("--records", settings.records, "records")->check(CLI::Range(2, 1'000'000'000));
  app.add_option("--value-bytes", settings.value_bytes, "of each")->check(CLI::Range(16, 1 << 29));
  app.add_option("--threads", settings.threads, "that run operations")->check(CLI::Range(1, 256));
  app.add_option("--rounds", settings.rounds, "of which the median is shown")
      ->check(CLI::Range(1, 99));
  app.add_option("--run-ms", settings.run_ms, "of a workload on a backend in a round")
      ->check(CLI::Range(10, 3'600'000));
  app.add_option("--durability", settings.durability)
      ->check(CLI::IsMember({"none", "interval", "commit"}));
  app.add_option("--folder", settings.folder, "where the stores are made")
      ->check(CLI::ExistingDirectory);
  app.add_option("--stack", settings.stacks, "memory, metrics+memory, ...; again for more")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  return strata::bench::run_all(std::move(settings));
}
