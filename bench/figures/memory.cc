// The figures in memory: inserts, single gets, half puts, read-modify-writes, batches of reads and
// of writes, on one thread and on two, and the memory that a key costs.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/parse.h"
#include "figures/race.h"
#include "figures/subject.h"

namespace strata::bench {

namespace {

constexpr std::array<Workload, 6> kWorkloads = {{{"get", Operation::get},
                                                 {"half puts", Operation::half},
                                                 {"update()", Operation::update},
                                                 {"patch", Operation::patch},
                                                 {"mget of 32", Operation::mget, 32},
                                                 {"batch of 32", Operation::batch, 32}}};
constexpr std::array<unsigned, 2> kThreads = {1, 2};

double resident_bytes() {
  ::malloc_trim(0);  // what was freed earlier must not be taken for what is held now
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

struct Memory {
  Table table{"bytes a key"};

  void add(Subject& subject, const Shape& shape, std::string_view when, double grown_bytes) {
    const auto records = static_cast<double>(shape.records);
    table.add(subject.name(), fmt::format("{}: process grew by", when), grown_bytes / records);
    if (Engine* const engine = subject.engine()) {
      const Stats stats = engine->stats();
      table.add(subject.name(), fmt::format("{}: engine says", when),
                static_cast<double>(stats.bytes_memory) / records);
      table.add(subject.name(), fmt::format("{}: files", when),
                static_cast<double>(stats.bytes_disk) / records);
    }
  }
};

Raced run(Subject& subject, const Workload& workload, const std::vector<Steps>& steps,
          unsigned threads, std::int64_t run_ms) {
  return race(subject.engine(), threads, run_ms, [&](unsigned t, const std::atomic<bool>& stop) {
    return subject.run(workload, steps[t].all(), stop);
  });
}

/// As run(), and every update that was acknowledged must be in the values.
Raced run_counted(Subject& subject, const Workload& workload, const std::vector<Steps>& steps,
                  unsigned threads, std::int64_t run_ms) {
  const std::optional<std::uint64_t> before = subject.sum_of_counters();
  const Raced raced = run(subject, workload, steps, threads, run_ms);
  if (before && subject.sum_of_counters() != *before + raced.operations) {
    give_up(subject.name() + " lost an update");
  }
  return raced;
}

using Subjects = std::vector<std::unique_ptr<Subject>>;

void measure(const Settings& settings, const Subjects& subjects, const StepSets& steps,
             unsigned threads, std::string_view when) {
  Table table("M records/s");
  for (unsigned round = 0; round < settings.rounds; ++round) {
    const bool last = round + 1 == settings.rounds;
    for (const Workload& workload : kWorkloads) {
      for (const bool zipf : {false, true}) {
        const std::string column = fmt::format("{} {}", workload.name, zipf ? "zipf" : "uniform");
        const bool counted = last && workload.operation == Operation::update;
        for (const std::unique_ptr<Subject>& subject : subjects) {
          if (threads > subject->threads_max()) continue;
          const auto run_one = counted ? run_counted : run;
          const Raced raced = run_one(*subject, workload, steps.of(zipf), threads, settings.run_ms);
          table.add(subject->name(), column, raced.per_second / 1e6);
        }
      }
    }
  }
  fmt::print("### {}, {} thread{}\n\n", when, threads, threads == 1 ? "" : "s");
  table.print();
}

void measure_all(const Settings& settings, const Subjects& subjects, const StepSets& steps,
                 std::string_view when) {
  for (const unsigned threads : kThreads) measure(settings, subjects, steps, threads, when);
}

}  // namespace

void run_memory(const Settings& settings) {
  Shape shape{.records = settings.records, .memory_bytes = settings.memory_bytes};
  if (shape.memory_bytes == 0) {
    shape.memory_bytes = std::max<std::uint64_t>(std::uint64_t{1} << 30, shape.data_bytes() * 8);
  }
  fmt::print("## In memory: {} keys of 8 bytes, values of {}, in random order; memory {}\n\n",
             shape.records, shape.value_bytes, base::human_size(shape.memory_bytes));
  const Subjects subjects = make_subjects(settings, shape, Kinds::all);
  print_setup(subjects);
  const StepSets steps(shape.records, *std::ranges::max_element(kThreads));

  Table loads("M inserts/s");
  Memory memory;
  std::vector<double> grown(subjects.size());
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    Subject& subject = *subjects[i];
    for (unsigned round = 0; round < settings.rounds; ++round) {
      subject.close();
      const double before = resident_bytes();
      subject.renew();
      const double per_second = subject.load();
      grown[i] = resident_bytes() - before;
      if (per_second == 0) continue;
      loads.add(subject.name(), "one thread", per_second / 1e6);
      memory.add(subject, shape, "loaded", grown[i]);
    }
  }
  loads.print();
  memory.table.print();
  measure_all(settings, subjects, steps, "After the load");

  if (settings.after_updates_s != 0) {
    const std::string when = fmt::format("After {} s of updates", settings.after_updates_s);
    Memory later;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      if (subjects[i]->engine() == nullptr) continue;
      const double before = resident_bytes();
      run(*subjects[i], {"put", Operation::put}, steps.of(false), 1,
          settings.after_updates_s * 1000);
      // What the tables before have let it grow by is not in it: they are short.
      later.add(*subjects[i], shape, "updated", grown[i] + resident_bytes() - before);
    }
    fmt::print("### {}, one thread\n\n", when);
    later.table.print();
    measure_all(settings, subjects, steps, when);
  }
}

}  // namespace strata::bench
