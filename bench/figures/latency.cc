// How long a put takes on one thread while another compacts the store or writes a checkpoint.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/histogram.h"
#include "base/parse.h"
#include "figures/race.h"
#include "figures/subject.h"
#include "scratch_folder.h"
#include "strata/capabilities.h"

namespace strata::bench {

namespace {

enum class Beside : std::uint8_t { nothing, compaction, checkpoint };
constexpr std::array<std::pair<Beside, std::string_view>, 3> kBeside = {
    {{Beside::nothing, "nothing"},
     {Beside::compaction, "compaction"},
     {Beside::checkpoint, "checkpoint"}}};

struct Puts {
  base::Histogram ns;
  unsigned times = 0;  ///< that what ran beside was done
  double per_second = 0;
};

void put_until(Engine& engine, const Shape& shape, std::span<const Step> steps,
               base::Histogram& histogram, const std::atomic<bool>& stop) {
  EngineStore store(engine, shape.value_bytes);
  StepCursor cursor(steps);
  std::int64_t before_ns = base::system_clock().monotonic_ns();
  while (!stop.load(std::memory_order_relaxed)) {
    store.put(cursor.next().number);
    const std::int64_t after_ns = base::system_clock().monotonic_ns();
    histogram.record(static_cast<std::uint64_t>(after_ns - before_ns));
    before_ns = after_ns;
  }
}

/// At least once, and again while there is time.
Puts measure(Engine& engine, const Settings& settings, const Shape& shape,
             std::span<const Step> steps, Beside beside) {
  Persistence& persistence = *engine.as<Persistence>();
  Puts puts;
  std::atomic<bool> stop{false};  // relaxed: joining the thread orders the rest
  const std::int64_t start_ns = base::system_clock().monotonic_ns();
  std::thread writer([&] { put_until(engine, shape, steps, puts.ns, stop); });
  do {
    if (beside == Beside::nothing) {
      base::system_clock().sleep_ms(std::min<std::int64_t>(settings.run_ms, 100));
    } else if (beside == Beside::compaction) {
      must(persistence.compact());
    } else {
      const ScratchFolder folder(settings.folder);
      must(persistence.checkpoint(folder.path() + "/checkpoint"));
    }
    ++puts.times;
    must(engine.maintain(1000));
  } while (seconds_since(start_ns) * 1000 < static_cast<double>(settings.run_ms));
  stop.store(true, std::memory_order_relaxed);
  writer.join();
  puts.per_second = static_cast<double>(puts.ns.count()) / seconds_since(start_ns);
  return puts;
}

void add(Table& table, const std::string& row, const Puts& puts, bool counts) {
  table.add(row, "k puts/s", puts.per_second / 1e3);
  for (const auto& [quantile, column] :
       {std::pair{0.5, "p50"}, std::pair{0.99, "p99"}, std::pair{0.999, "p99.9"}}) {
    table.add(row, column, static_cast<double>(puts.ns.quantile(quantile)) / 1e3);
  }
  table.add(row, "max", static_cast<double>(puts.ns.max()) / 1e3);
  if (counts) table.add(row, "times", puts.times);
}

}  // namespace

void run_latency(const Settings& settings) {
  Shape shape{.records = settings.records,
              .memory_bytes = settings.memory_bytes,
              .on_disk = true,
              .load_batch = 1000};
  // All of the data and its index fit, what updates leave behind does not for long.
  if (shape.memory_bytes == 0) {
    shape.memory_bytes = std::max<std::uint64_t>(std::uint64_t{256} << 20, shape.data_bytes() * 2);
  }
  fmt::print("## Microseconds a put takes, one thread, uniform, of {} records; memory {}\n\n",
             shape.records, base::human_size(shape.memory_bytes));
  const auto subjects = make_subjects(settings, shape, Kinds::engines);
  print_setup(subjects);
  const StepSets steps(shape.records, 1);
  Table table("us; beside");
  for (const std::unique_ptr<Subject>& subject : subjects) {
    subject->renew();
    if (subject->engine()->as<Persistence>() == nullptr) continue;
    subject->load();
    for (unsigned round = 0; round < settings.rounds; ++round) {
      for (const auto& [beside, name] : kBeside) {
        const Puts puts =
            measure(*subject->engine(), settings, shape, steps.of(false)[0].all(), beside);
        add(table, fmt::format("{}: {}", subject->name(), name), puts, beside != Beside::nothing);
      }
    }
    subject->close();
  }
  table.print();
}

}  // namespace strata::bench
